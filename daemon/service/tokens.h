#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/error.h"
#include "common/secret.h"
#include "daemon/oauth/token_response.h"
#include "daemon/service/access.h"
#include "daemon/service/audit.h"
#include "daemon/service/provider_directory.h"
#include "daemon/service/providers.h"
#include "daemon/service/sealed_fields.h"
#include "daemon/service/worker_pool.h"
#include "daemon/store/store.h"
#include "daemon/strategy/strategy.h"
#include "daemon/vault/vault.h"

namespace nexus {

/// What a caller gets for one fetch: never a refresh token.
struct FetchedToken {
  std::string connection_id;
  std::string provider;
  Secret access_token;
  Secret id_token;  ///< empty when openid was not asked for
  TokenFacts facts;
  /// A static connection has these instead of a token: how to use it, and what was captured, as a
  /// JSON object.
  std::optional<Strategy> strategy;
  Secret document;
};

/// Hands out access tokens and keeps them fresh: one refresh in flight for each connection, whoever
/// asks (security.md F1 to F5).
class Tokens {
 public:
  using Done = std::function<void(Result<FetchedToken>)>;

  Tokens(Store& store, const Vault& vault, Providers& providers, ProviderDirectory& directory,
         HttpClient& http, Audit& audit, WorkerPool& workers, Clock clock);

  /// A token with at least `min_ttl` seconds left where the provider gives such. `done` is called
  /// before `fetch` returns when no refresh is needed, else later, on a worker's thread.
  ///
  /// Errors: attention_required, connection_pending, connection_failed, connection_revoked,
  /// connection_not_found, connection_out_of_scope, access_denied; upstream_error,
  /// upstream_timeout, provider_protocol, provider_misconfigured only when no valid token is left.
  void fetch(const std::string& connection_id, UnixTime min_ttl, const Caller& caller, Done done);

  /// Refreshes whatever is left. Also errors: no_refresh_token, static_token.
  void refresh(const std::string& connection_id, const Caller& caller, Done done);

 private:
  struct Waiter {
    bool forced = false;
    UnixTime wanted = 0;  ///< seconds left that are enough for this one
    Done done;
  };
  /// A refreshed token that could not be stored (disk full): kept until it can be.
  struct Unsaved {
    TokenFacts token;
    std::vector<SealedField> fields;
  };

  Result<FetchedToken> open(TokenRow row) const;
  Result<FetchedToken> open_static(TokenRow row, const SealedFields& fields) const;
  void join_flight(const std::string& connection_id, Waiter waiter);
  void fly(const std::string& connection_id);
  bool anybody_needs(const ConnectionRow& row);
  Result<void> refresh_now(const ConnectionRow& row);
  Result<void> store_refreshed(const ConnectionRow& row, const SealedFields& fields,
                               const ProviderEndpoints& endpoints,
                               const ProviderWithSecret& provider, TokenResponse response,
                               UnixTime sent_at);
  Result<void> save(const ConnectionRow& row, Unsaved refreshed);
  Result<void> refused(const ConnectionRow& row, const Error& error);
  Result<FetchedToken> after_flight(const std::string& connection_id, const Result<void>& outcome,
                                    bool forced);

  Store& store_;
  const Vault& vault_;
  Providers& providers_;
  ProviderDirectory& directory_;
  HttpClient& http_;
  Audit& audit_;
  WorkerPool& workers_;
  Clock clock_;
  std::mutex mutex_;
  std::map<std::string, std::vector<Waiter>> flights_;
  std::map<std::string, Unsaved> unsaved_;
};

}  // namespace nexus
