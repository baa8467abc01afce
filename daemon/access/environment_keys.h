#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/error.h"
#include "daemon/access/access.h"
#include "daemon/worker_pool.h"

namespace nexus {

/// API keys that a container's environment brings, as the published system has them: NEXUS_API_KEY,
/// API_KEY, API_KEYS (separated by commas), and the files named by API_KEY_FILE and API_KEYS_FILE
/// (a key a line), which are read again every API_KEY_RELOAD_INTERVAL ("30s"). They may do
/// everything. Only their hashes are kept. Thread-safe.
class EnvironmentKeys {
 public:
  using Hash = std::function<std::string(std::string_view)>;
  /// Files are read again by `workers`: who checks a key never waits for a disk.
  EnvironmentKeys(Hash hash, WorkerPool& workers);

  /// Reads them and takes them out of the environment. Errors: usage, for a file that cannot be
  /// read, a key of less than 16 characters, an interval that is none.
  Result<void> load();

  /// The name of the variable whose key has this hash; compares with all of them.
  std::optional<std::string> find(const std::string& hash);
  std::shared_ptr<const Access> access() const { return access_; }

 private:
  struct Key {
    std::string variable;
    std::string hash;
  };
  Result<void> add(const std::string& variable, std::string_view keys, std::vector<Key>& out) const;
  Result<std::vector<Key>> read_files() const;
  void read_again();

  Hash hash_;
  WorkerPool& workers_;
  std::shared_ptr<const Access> access_;
  std::vector<std::pair<std::string, std::string>> files_;  ///< variable and path
  std::chrono::seconds reload_interval_{30};
  std::mutex mutex_;
  std::vector<Key> fixed_;
  std::vector<Key> from_files_;
  std::chrono::steady_clock::time_point read_at_;
};

}  // namespace nexus
