#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/error.h"
#include "daemon/audit.h"
#include "daemon/connection_permits.h"
#include "daemon/due.h"
#include "daemon/provider/metadata_cache.h"
#include "daemon/provider/providers.h"
#include "daemon/provider/redirect_uris.h"
#include "daemon/provider/registration.h"
#include "daemon/store/store.h"
#include "daemon/vault/vault.h"

namespace nexus {

/// Registers providers, changes them and takes them off the list. Blocks on the network where
/// metadata is needed. Thread-safe.
class ProviderRegistry {
 public:
  ProviderRegistry(Store& store, const Vault& vault, Providers& providers,
                   ConnectionPermits& permits, MetadataCache& metadata, Audit& audit, Due& due,
                   RedirectUris redirect_uris, Clock clock, Clock wall_clock);

  struct Registered {
    Provider provider;
    std::string warning;  ///< what could not be checked, "" when all was
  };
  /// Registers (or, where the registration says so, replaces) a provider. Metadata that can be
  /// fetched has to be good. Replacing where its tokens go makes its connections need a person.
  Result<Registered> add(ProviderRegistration registration, const Caller& caller);
  /// Changes a provider in place: the fields that `fields` has, or all of them when `whole`. Its id
  /// stays, and so does a client secret that is not mentioned; what changes nothing is not
  /// recorded.
  Result<Registered> change(const std::string& id, nlohmann::json& fields, bool whole,
                            const Caller& caller);
  Result<void> remove(const Provider& provider, const Caller& caller);

  /// A registration that was checked against what there is, and not yet made.
  struct Prepared {
    bool replaces = false;           ///< one that is registered
    std::optional<Provider> before;  ///< that one, where its record can be read
    Provider after;
    std::string secret_before;  ///< fingerprints of the client secrets, "" for none
    std::string secret_after;
    std::string warning;
    ProviderWrite write;

    bool changes_nothing() const;
  };
  /// For the provider of that name, where there is one. `fields` is a registration as it came; its
  /// secrets are wiped.
  Result<Prepared> prepare(const std::string& name, nlohmann::json& fields);
  /// The same for one that another nexusd has registered under that id, which it keeps where it
  /// can: nothing is fetched. The registration is all of it.
  Result<Prepared> prepare_settled(const std::string& id, ProviderRegistration registration);
  /// Makes all of it or nothing, each change on record; what goes on with connections that need a
  /// person from now on ends.
  Result<void> commit(const std::vector<Prepared>& prepared, const std::vector<Provider>& removed,
                      const Caller& caller);

 private:
  Result<Prepared> prepare(std::optional<ProviderRecord> existing,
                           ProviderRegistration registration);
  Result<Registered> put(std::optional<ProviderRecord> existing, ProviderRegistration registration,
                         const Caller& caller);
  Result<void> check_settled(const Provider& provider, const Secret& secret) const;
  void write_down(Prepared& prepared, std::optional<ProviderRecord> existing, const Secret& secret,
                  const Secret& old_secret);
  Result<Secret> secret_of(const std::string& id, const std::optional<ProviderRecord>& existing);
  /// What is stored of the provider with that name, or id.
  Result<std::optional<ProviderRecord>> named(const std::string& name);

  Store& store_;
  const Vault& vault_;
  Providers& providers_;
  ConnectionPermits& permits_;
  MetadataCache& metadata_;
  Audit& audit_;
  Due& due_;
  RedirectUris redirect_uris_;
  Clock clock_;
  Clock wall_clock_;
};

}  // namespace nexus
