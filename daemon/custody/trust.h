#pragma once

#include <functional>
#include <mutex>
#include <string>

#include "common/error.h"
#include "daemon/store/store.h"

namespace nexus {

/// Whether the vault is the one that nexusd left. One that was put back to what it was has refresh
/// tokens that providers may have replaced since, and take for stolen when they are sent: until a
/// person says that it is right so, nothing is refreshed unless somebody asks for a token.
/// Thread-safe.
class Trust {
 public:
  Trust(Store& store, std::string suspicion) : store_(store), suspicion_(std::move(suspicion)) {}

  /// Why it may not be, in words; "" for no reason.
  std::string suspicion() const {
    const std::lock_guard lock(mutex_);
    return suspicion_;
  }
  /// Called once, when it is accepted.
  void on_acceptance(std::function<void()> act);
  /// It is right as it is. Error: invalid_state where nothing is wrong, and the store's.
  Result<void> accept();

 private:
  Store& store_;
  mutable std::mutex mutex_;
  std::string suspicion_;
  std::function<void()> act_;
};

}  // namespace nexus
