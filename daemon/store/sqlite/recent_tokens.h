#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "daemon/store/store.h"

namespace nexus::sqlite {

/// What was read for token fetches of late, sealed as it is stored, for as long as nothing is
/// written: a script that asks again is answered without a statement, a lock on the file and the
/// codes of its rows. Nobody but this process may write the file, and what somebody else writes
/// into it all the same is seen at the next read that follows a write of ours. Thread-safe.
class RecentTokens {
 public:
  using Row = std::shared_ptr<const TokenRow>;

  /// To be taken before the row is read that is kept by it.
  std::uint64_t version() const { return version_.load(); }

  /// Nothing where it is not known.
  Row find(const std::string& connection_id) const {
    const std::lock_guard lock(mutex_);
    const auto found = rows_.find(connection_id);
    return found != rows_.end() && kept_at_ == version_.load() ? found->second : nullptr;
  }

  void keep(std::uint64_t version, const std::string& connection_id, Row row) {
    const std::lock_guard lock(mutex_);
    if (version != version_.load()) return;  // it may be older than what was written meanwhile
    if (version != kept_at_ || rows_.size() >= kMost) rows_.clear();
    kept_at_ = version;
    rows_[connection_id] = std::move(row);
  }

  /// After every write, before its caller is told of it.
  void forget() { ++version_; }

 private:
  static constexpr std::size_t kMost = 256;
  std::atomic<std::uint64_t> version_{1};
  mutable std::mutex mutex_;
  std::uint64_t kept_at_ = 0;  ///< all of `rows_`
  std::unordered_map<std::string, Row> rows_;
};

}  // namespace nexus::sqlite
