#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "daemon/permit.h"
#include "daemon/store/store.h"

namespace nexus {

/// The permits of connections by which something goes on right now. Whoever has stored that one is
/// no more has it looked at here: what was begun with its credentials ends. Thread-safe.
class ConnectionPermits {
 public:
  explicit ConnectionPermits(Store& store) : store_(store) {}

  /// To be held before the connection's row is read, so that no change of it is missed.
  std::shared_ptr<Permit> of(const std::string& connection_id);
  /// Withdraws the permit of a connection that is active no more, or cannot be read. How many
  /// things went on by it.
  std::size_t review(const std::string& connection_id);
  /// The same for all that there are.
  void review_all();

 private:
  Store& store_;
  std::mutex mutex_;
  std::unordered_map<std::string, std::weak_ptr<Permit>> permits_;
  std::size_t tidy_at_ = 64;  ///< so many have those that nobody holds taken out
};

}  // namespace nexus
