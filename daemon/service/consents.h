#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "common/error.h"
#include "daemon/oauth/token_response.h"
#include "daemon/service/audit.h"
#include "daemon/service/flows.h"
#include "daemon/service/provider_directory.h"
#include "daemon/service/providers.h"
#include "daemon/service/refresh_timer.h"
#include "daemon/store/store.h"
#include "daemon/vault/vault.h"

namespace nexus {

/// What providers answer to authorization requests: the code becomes the connection's first tokens.
/// Blocks on the network. Thread-safe.
class Consents {
 public:
  Consents(Store& store, const Vault& vault, Providers& providers, ProviderDirectory& directory,
           HttpClient& http, Audit& audit, Flows& flows, Clock clock);

  /// Set once: whom to tell when a new connection's token is to be refreshed.
  void use_timer(RefreshTimer& timer) { timer_ = &timer; }

  /// Stores the pending connection and makes the authorization request (RFC 6749 4.1.1). Errors:
  /// provider_misconfigured, those of Flows::begin, and what the provider's metadata brings.
  /// `pasted`: the person brings the answer by hand, so no port is listened on.
  Result<StartedFlow> begin(const ConnectionRow& row, const Provider& provider,
                            const std::vector<std::string>& scopes, bool pasted,
                            const Caller& caller);

  /// Makes a connection of a refresh token that the person has from elsewhere, by using it once.
  /// Errors: provider_rejected (the provider does not take it), and those of refresh_token.
  Result<void> adopt(const ConnectionRow& row, const Provider& provider, const Secret& token,
                     const Caller& caller);

  /// Answers a pending connection. `uri` is the redirect URI that was called, without query. Error:
  /// invalid_state for whatever does not belong to an open flow, which it leaves as it is.
  Result<FlowOutcome> complete(const std::string& uri,
                               const std::vector<std::pair<std::string, std::string>>& query,
                               const Caller& caller);

 private:
  /// Whose account it is, where the id_token did not say. Error: provider_protocol when somebody
  /// else's is told than the id_token's.
  Result<void> learn_account(ConnectionRow& active, const Provider& provider,
                             const ProviderEndpoints& endpoints, const Secret& access_token);
  /// Where the answer is to come to. Error: callback_unavailable.
  Result<std::string> redirect_uri_for(const Provider& provider, bool pasted);
  /// The first tokens become the connection's; `nonce` is empty where no consent of ours brought
  /// them.
  Result<void> activate(const ConnectionRow& row, const FlowRow& flow, const Provider& provider,
                        const ProviderEndpoints& endpoints, const TokenResponse& response,
                        const Secret& nonce, UnixTime sent_at);
  Result<void> exchange(const ConnectionRow& row, const FlowRow& flow, const Secret& code);

  Store& store_;
  const Vault& vault_;
  Providers& providers_;
  ProviderDirectory& directory_;
  HttpClient& http_;
  Audit& audit_;
  Flows& flows_;
  Clock clock_;
  RefreshTimer* timer_ = nullptr;
};

}  // namespace nexus
