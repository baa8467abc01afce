#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>

#include "common/config.h"
#include "common/error.h"
#include "common/secret.h"
#include "daemon/access/route_rules.h"
#include "daemon/api/gateway.h"
#include "daemon/connect/return_urls.h"
#include "daemon/http/listen_address.h"
#include "daemon/store/audit_log.h"
#include "daemon/store/store.h"
#include "daemon/vault/key_source.h"
#include "daemon/vault/vault.h"

namespace nexus {

/// What a daemon stands on: opened, checked and locked before any of it is used.
struct Foundations {
  std::unique_ptr<Store> store;
  std::unique_ptr<Vault> vault;
  std::unique_ptr<AuditLog> audit_log;
  KeyPlaces key_places;
  KeySource key_source = KeySource::memory;
  std::string suspicion;  ///< why the vault may not be the one that nexusd left, "" for no reason
  std::optional<Secret> root_key;  ///< where the next nexusd in this process could not find it
  ReturnUrls return_urls;
  std::optional<api::Gateway::Settings> gateway;
  std::optional<http::ListenAddress> proxy;
  RouteRules rules;
  std::optional<gid_t> members;  ///< the group of [access]
};

/// That a daemon could be made of these settings and of what the data directory has, where no other
/// one serves it. Makes and changes nothing, and binds no port. Errors: those of the directory, the
/// settings (usage) and the vault (vault_key_wrong, vault_unusable).
Result<void> check_start(const Config& config);

/// The data directory has to be locked. `given`: what a person typed to open the vault (a
/// passphrase, or the key). Errors: vault_locked where that is needed, vault_key_wrong,
/// vault_unusable, usage.
Result<Foundations> open_foundations(const Config& config, const Secret& given = {});

/// A vault whose key nobody has given yet.
struct LockedVault {
  KeySource source = KeySource::passphrase;
  bool is_new = false;       ///< it is to be made
  std::string derivation{};  ///< of its passphrase, as text
};
/// What there is to say of it. The data directory has to be locked. Error: vault_unusable.
Result<LockedVault> look_at_locked_vault(const Config& config);

/// The same in memory, empty and under a key that nobody else has. Error: usage.
Result<Foundations> make_foundations_in_memory(const Config& config);

}  // namespace nexus
