#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "daemon/access/route_rules.h"
#include "daemon/provider/provider.h"
#include "daemon/store/store.h"
#include "daemon/upstream/destinations.h"

namespace nexus {

/// Where the requests of a connection go, and which of them.
struct Aim {
  Provider provider;
  Destinations destinations;
  RouteRules rules;  ///< of nexus.toml
};

/// Those of late, so that the next request reads and parses nothing: each is as good as the row
/// that it was made with, which the store hands out again for as long as nothing is written.
/// Thread-safe.
class Aims {
 public:
  using Row = std::shared_ptr<const TokenRow>;

  /// Nothing where none is known for that very row.
  std::shared_ptr<const Aim> find(const std::string& connection_id, const Row& row) const {
    const std::lock_guard lock(mutex_);
    const auto found = kept_.find(connection_id);
    return found != kept_.end() && found->second.row.lock() == row ? found->second.aim : nullptr;
  }

  void keep(const std::string& connection_id, const Row& row, std::shared_ptr<const Aim> aim) {
    const std::lock_guard lock(mutex_);
    if (kept_.size() >= kMost) kept_.clear();
    kept_[connection_id] = {row, std::move(aim)};
  }

 private:
  static constexpr std::size_t kMost = 256;
  struct Kept {
    std::weak_ptr<const TokenRow> row;
    std::shared_ptr<const Aim> aim;
  };
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Kept> kept_;
};

}  // namespace nexus
