#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/clock.h"
#include "common/error.h"
#include "common/own_keys.h"
#include "common/secret.h"
#include "daemon/access/access.h"
#include "daemon/access/environment_keys.h"
#include "daemon/audit.h"
#include "daemon/due.h"
#include "daemon/permit.h"
#include "daemon/store/store.h"
#include "daemon/vault/vault.h"

namespace nexus {

/// The API keys of the gateway.
///
/// A key begins with nxk_ (key_text.h). Only a keyed hash is stored; all of them are held in
/// memory, so that a check costs one hash. What was begun with a key ends with it.
/// Thread-safe.
class ApiKeys {
 public:
  static constexpr std::string_view kPrefix = kApiKeyPrefix;

  /// `environment_keys`: whether the environment brings keys, too.
  ApiKeys(Store& store, const Vault& vault, Audit& audit, Due& due, WorkerPool& workers,
          Clock clock, Clock wall_clock, bool environment_keys);

  /// Reads the stored keys. Before the first `verify`.
  Result<void> load();

  struct Issued {
    Secret key;  ///< shown once, known nowhere afterwards
    ApiKeyRow row;
  };
  /// Errors: invalid_field, key_exists.
  Result<Issued> create(const std::string& name, const Access& access,
                        std::optional<UnixTime> expires_at, const Caller& caller);
  struct Listed {
    ApiKeyRow row;
    std::string variable;  ///< of the environment that brought it, "" for one that was made
  };
  Result<std::vector<Listed>> list(const NamePage& page);
  /// By id or name. Errors: key_not_found, environment_key.
  Result<ApiKeyRow> revoke(const std::string& id_or_name, const Caller& caller);

  struct Identity {
    std::string id;
    std::shared_ptr<const Access> access;
    std::shared_ptr<Permit> permit;  ///< is withdrawn with the key
  };
  /// Whose key this is. Error: invalid_api_key, the same for an unknown, wrong, revoked or expired
  /// one, after the same work.
  Result<Identity> verify(std::string_view key);
  /// Withdraws the permits of keys that have expired by now.
  void sweep();

 private:
  Result<std::vector<ApiKeyRow>> all();
  struct Entry {
    std::string hash;
    std::shared_ptr<const Access> access;
    std::optional<UnixTime> expires_at;
    std::optional<UnixTime> used_at{};   ///< since nexusd began
    std::optional<UnixTime> saved_at{};  ///< the use that the store knows of
    std::shared_ptr<Permit> permit = std::make_shared<Permit>();
  };
  std::size_t forget(const std::string& id);
  void note_use(const std::string& id, Entry& entry);

  Store& store_;
  const Vault& vault_;
  Audit& audit_;
  Due& due_;
  WorkerPool& workers_;
  Clock clock_;
  Clock wall_clock_;
  std::mutex mutex_;
  std::unordered_map<std::string, Entry> keys_;
  EnvironmentKeys environment_;
};

}  // namespace nexus
