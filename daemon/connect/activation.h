#pragma once

#include <string>

#include "common/clock.h"
#include "common/error.h"
#include "daemon/oauth/token_response.h"
#include "daemon/provider/metadata_cache.h"
#include "daemon/provider/providers.h"
#include "daemon/scheduler/due_timer.h"
#include "daemon/store/store.h"
#include "daemon/vault/vault.h"

namespace nexus {

/// What a grant brought, and how it was asked for.
struct FirstTokens {
  const TokenResponse& response;
  UnixTime sent_at = 0;  ///< when the request was sent: lives count from there
  /// What the id_token has to carry; empty where the request could not name one.
  const Secret& nonce;
  bool needs_id_token = false;
  std::string pinned;  ///< JSON of the endpoints that the tokens belong to
};

/// The one place where a pending connection becomes active through OAuth, whatever grant it came
/// by: the identity is checked, the tokens are sealed, and the first refresh is planned.
/// Blocks on the network. Thread-safe.
class Activation {
 public:
  Activation(Store& store, const Vault& vault, MetadataCache& metadata, HttpClient& http,
             Clock clock);

  /// Set once: whom to tell when a new connection's token is to be refreshed.
  void use_timer(DueTimer& timer) { timer_ = &timer; }

  /// Errors: provider_protocol (the id_token or the account does not hold), provider_rejected
  /// (another account than that of the connection to replace; removed meanwhile).
  Result<void> activate(const ConnectionRow& row, const Provider& provider,
                        const ProviderEndpoints& endpoints, const FirstTokens& tokens);

 private:
  /// Whose account it is, where the id_token did not say. Error: provider_protocol when somebody
  /// else's is told than the id_token's.
  Result<void> learn_account(ConnectionRow& active, const Provider& provider,
                             const ProviderEndpoints& endpoints, const Secret& access_token);

  Store& store_;
  const Vault& vault_;
  MetadataCache& metadata_;
  HttpClient& http_;
  Clock clock_;
  DueTimer* timer_ = nullptr;
};

}  // namespace nexus
