#include "daemon/token/per_host_limit.h"

namespace nexus {

void PerHostLimit::enter(const std::string& host, bool background, Go go) {
  {
    const std::lock_guard lock(mutex_);
    auto& at = hosts_[host];
    if (at.inside >= at_once_) {
      (background ? at.background : at.awaited).push_back(std::move(go));
      return;
    }
    ++at.inside;
  }
  go(false);
}

void PerHostLimit::leave(const std::string& host) {
  Go next;
  {
    const std::lock_guard lock(mutex_);
    const auto found = hosts_.find(host);
    auto& at = found->second;
    auto& queue = at.awaited.empty() ? at.background : at.awaited;
    if (queue.empty()) {
      if (--at.inside == 0) hosts_.erase(found);
      return;
    }
    next = std::move(queue.front());
    queue.pop_front();
  }
  next(true);
}

}  // namespace nexus
