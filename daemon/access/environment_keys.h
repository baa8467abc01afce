#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/error.h"
#include "daemon/access/access.h"
#include "daemon/permit.h"
#include "daemon/worker_pool.h"

namespace nexus {

/// API keys that a container's environment brings, as the published system has them: API_KEY,
/// API_KEYS (separated by commas), and the files named by API_KEY_FILE and API_KEYS_FILE (a key a
/// line), which are read again every API_KEY_RELOAD_INTERVAL ("30s"). They may do everything, and
/// only the environment takes them back; so they count where nexus.toml says so alone: many a shell
/// has an API_KEY that is some other program's. Only their hashes are kept. Thread-safe.
class EnvironmentKeys {
 public:
  using Hash = std::function<std::string(std::string_view)>;
  /// `wanted`: gateway.environment_keys. Files are read again by `workers`: who checks a key never
  /// waits for a disk.
  EnvironmentKeys(bool wanted, Hash hash, WorkerPool& workers);

  /// Takes them out of the environment and, where they are wanted, reads them. Errors: usage, for a
  /// file that cannot be read, a key of less than 16 characters, an interval that is none.
  Result<void> load();

  struct Key {
    std::string variable;
    std::string name;  ///< "API_KEYS#2": no key that was made can be called so
    std::string hash;
    std::optional<UnixTime> used_at{};  ///< since nexusd began
    std::shared_ptr<Permit> permit{};   ///< withdrawn once its file has it no more
  };
  /// The key that has this hash and is used now; compares with all of them.
  std::optional<Key> use(const std::string& hash, UnixTime now);
  std::vector<Key> list();
  std::shared_ptr<const Access> access() const { return access_; }

 private:
  Result<void> add(const std::string& variable, std::string_view keys, std::vector<Key>& out) const;
  Result<std::vector<Key>> read_files() const;
  void read_again();

  bool wanted_;
  Hash hash_;
  WorkerPool& workers_;
  std::shared_ptr<const Access> access_;
  std::vector<std::pair<std::string, std::string>> files_;  ///< variable and path
  std::chrono::seconds reload_interval_{};
  std::mutex mutex_;
  std::vector<Key> fixed_;
  std::vector<Key> from_files_;
  std::chrono::steady_clock::time_point read_at_;
};

}  // namespace nexus
