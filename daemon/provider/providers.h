#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/error.h"
#include "daemon/audit.h"
#include "daemon/provider/metadata_cache.h"
#include "daemon/provider/provider.h"
#include "daemon/provider/registration.h"
#include "daemon/scheduler/due_timer.h"
#include "daemon/store/store.h"
#include "daemon/vault/vault.h"

namespace nexus {

/// A provider as it is used: with its secret.
struct ProviderWithSecret {
  Provider provider;
  Secret client_secret;
};

/// The registered providers. Blocks on the network where metadata is needed.
class Providers {
 public:
  Providers(Store& store, const Vault& vault, MetadataCache& metadata, Audit& audit, Clock clock,
            std::string callback_base_url, std::string callback_path);

  /// Set once: whom to tell that connections may be refreshed anew.
  void use_timer(DueTimer& timer) { timer_ = &timer; }

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
  Result<Registered> change(const std::string& id, nlohmann::json fields, bool whole,
                            const Caller& caller);

  /// A registration that was checked against what there is, and not yet made.
  struct Prepared {
    std::optional<Provider> before;  ///< nothing for a new one
    Provider after;
    std::string secret_before;  ///< fingerprints of the client secrets, "" for none
    std::string secret_after;
    std::string warning;
    ProviderWrite write;

    bool changes_nothing() const;
  };
  Result<Prepared> prepare(const std::optional<ProviderRow>& existing,
                           ProviderRegistration registration);
  /// Makes all of it or nothing, each change on record.
  Result<void> commit(const std::vector<Prepared>& prepared, const std::vector<Provider>& removed,
                      const Caller& caller);

  /// What the last request to a provider's token endpoint showed.
  struct Health {
    bool healthy = true;
    UnixTime checked_at = 0;
    std::string message;
  };
  void note_health(const std::string& id, const Result<void>& outcome);
  std::optional<Health> health(const std::string& id);

  Result<Provider> by_id(const std::string& id);
  /// Also one that was taken off the list: connections made with it go on.
  Result<Provider> of_connection(const ConnectionRow& row);
  Result<Provider> by_name(const std::string& name);  ///< case-insensitive
  Result<std::vector<Provider>> list();
  Result<void> remove(const Provider& provider, const Caller& caller);

  Result<ProviderWithSecret> with_secret(const std::string& id);
  /// Of the client secret, "" where there is none.
  Result<std::string> secret_fingerprint(const Provider& provider);
  /// The public key of a client that signs, as a JWK to register at the provider.
  Result<std::string> public_jwk(const Provider& provider);
  Result<ProviderEndpoints> endpoints(const ProviderWithSecret& provider);

  /// The redirect path of a provider that shares its path with no other.
  std::string own_redirect_path(const std::string& name) const;
  /// What has to be registered at the provider.
  std::string redirect_uri(const Provider& provider) const;

 private:
  Result<Registered> put(const std::optional<ProviderRow>& existing,
                         ProviderRegistration registration, const Caller& caller);
  std::string fingerprint(const std::string& provider_id, const Secret& secret) const;

  Store& store_;
  const Vault& vault_;
  MetadataCache& metadata_;
  Audit& audit_;
  Clock clock_;
  std::string callback_base_url_;
  std::string callback_path_;
  DueTimer* timer_ = nullptr;
  std::mutex health_mutex_;
  std::map<std::string, Health> health_;
};

}  // namespace nexus
