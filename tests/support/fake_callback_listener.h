#pragma once

#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "daemon/connect/callback_listener.h"

namespace nexus::test {

/// Listens on nothing, and remembers where it was asked to.
class FakeCallbackListener : public CallbackListener {
 public:
  Result<void> open(const std::string& redirect_uri) override {
    const std::lock_guard lock(mutex_);
    if (taken_ && redirect_uri.find(":8090/") != std::string::npos)
      return Error{ErrorCode::callback_unavailable, "port 8090 is taken", "free the port"};
    open_.insert(redirect_uri);
    return {};
  }
  Result<std::string> with_free_port(const std::string& redirect_uri) override {
    auto uri = redirect_uri;
    return uri.replace(uri.find(":8090/"), 5, ":49152");
  }
  void close() override {
    const std::lock_guard lock(mutex_);
    open_.clear();
  }

  void take_port() {
    const std::lock_guard lock(mutex_);
    taken_ = true;
  }
  std::vector<std::string> listened_on() const {
    const std::lock_guard lock(mutex_);
    return {open_.begin(), open_.end()};
  }

 private:
  mutable std::mutex mutex_;
  bool taken_ = false;
  std::set<std::string> open_;
};

}  // namespace nexus::test
