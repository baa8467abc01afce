#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/error.h"
#include "daemon/oauth/client.h"
#include "daemon/provider/metadata_cache.h"
#include "daemon/provider/provider.h"
#include "daemon/store/store.h"
#include "daemon/vault/vault.h"

namespace nexus {

/// A provider with the client that we are there.
struct ProviderClient {
  Provider provider;
  oauth::Client client;
};

/// The registered providers, as they are found and spoken to; ProviderRegistry changes them. Blocks
/// on the network where metadata is needed. Thread-safe.
class Providers {
 public:
  Providers(Store& store, const Vault& vault, MetadataCache& metadata, HttpClient& http,
            Clock wall_clock);

  // Errors: provider_not_found, internal_error for one whose record is damaged.
  Result<Provider> by_id(const std::string& id);
  Result<Provider> by_name(const std::string& name);  ///< case-insensitive
  /// Also a damaged one.
  Result<Provider> whatever_by_id(const std::string& id);
  Result<Provider> whatever_by_name(const std::string& name);
  /// Also one that was taken off the list: connections made with it go on.
  Result<Provider> of_connection(const ConnectionRow& row);
  Result<Provider> of_connection(const std::string& provider_id, const std::string& name);
  /// These have damaged ones among them.
  Result<std::vector<Provider>> list(const NamePage& page);
  Result<std::vector<Provider>> all();

  /// Our client, speaking to the endpoints that the registration and the metadata name now. One
  /// read of the store.
  Result<ProviderClient> client(const std::string& provider_id);
  /// The same, speaking to those that a flow or connection was made with. No network.
  Result<ProviderClient> client_for(const std::string& provider_id, const std::string& pinned);

  /// Tells whether the client secret has changed without showing it: "" where there is none.
  Result<std::string> secret_fingerprint(const Provider& provider);
  std::string fingerprint(const std::string& provider_id, const Secret& secret) const;
  /// The public key of a client that signs, as a JWK to register at the provider.
  Result<std::string> public_jwk(const Provider& provider);

  /// What the last request to a provider's token endpoint showed.
  struct Health {
    bool healthy = true;
    UnixTime checked_at = 0;
    std::string message;
  };
  void note_health(const std::string& id, const Result<void>& outcome);
  std::optional<Health> health(const std::string& id);

  /// The profile of a row. What was read before is not read again while the row is the same. Error:
  /// internal_error, naming the provider.
  Result<Provider> decode(const ProviderRow& row);

 private:
  // Error: provider_not_found.
  Result<ProviderRow> row_by_id(const std::string& id);
  Result<ProviderRow> row_by_name(const std::string& name);
  Provider decode_whatever(const ProviderRow& row);
  struct WithSecret {
    Provider provider;
    Secret secret;
  };
  Result<WithSecret> with_secret(const std::string& id);

  struct Decoded {
    std::string profile;
    Provider provider;
  };

  Store& store_;
  const Vault& vault_;
  MetadataCache& metadata_;
  HttpClient& http_;
  Clock wall_clock_;
  std::mutex mutex_;
  std::map<std::string, Decoded> decoded_;
  std::map<std::string, Health> health_;
};

Error no_such_provider(const std::string& name);

}  // namespace nexus
