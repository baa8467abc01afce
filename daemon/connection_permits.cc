#include "daemon/connection_permits.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "daemon/connection_errors.h"

namespace nexus {
namespace {

/// Why it gives nothing any more, nothing while it does.
std::optional<Error> why_over(Store& store, const std::string& connection_id) {
  const auto row = store.connection(connection_id);
  if (!row) return row.error();
  return *row ? not_active(**row) : no_such_connection(connection_id);
}

}  // namespace

std::shared_ptr<Permit> ConnectionPermits::of(const std::string& connection_id) {
  const std::lock_guard lock(mutex_);
  auto& known = permits_[connection_id];
  auto permit = known.lock();
  if (!permit) known = permit = std::make_shared<Permit>();
  if (permits_.size() >= tidy_at_) {
    std::erase_if(permits_, [](const auto& entry) { return entry.second.expired(); });
    tidy_at_ = std::max<std::size_t>(64, 2 * permits_.size());
  }
  return permit;
}

std::size_t ConnectionPermits::review(const std::string& connection_id) {
  std::shared_ptr<Permit> permit;
  {
    const std::lock_guard lock(mutex_);
    const auto found = permits_.find(connection_id);
    if (found != permits_.end()) permit = found->second.lock();
  }
  if (!permit) return 0;
  const auto why = why_over(store_, connection_id);
  if (!why) return 0;
  {
    // One that comes back has another.
    const std::lock_guard lock(mutex_);
    const auto found = permits_.find(connection_id);
    if (found != permits_.end() && found->second.lock() == permit) permits_.erase(found);
  }
  return permit->withdraw(*why);
}

void ConnectionPermits::review_all() {
  std::vector<std::string> ids;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, permit] : permits_)
      if (!permit.expired()) ids.push_back(id);
  }
  for (const auto& id : ids) review(id);
}

}  // namespace nexus
