#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "common/clock.h"
#include "common/error.h"
#include "common/secret.h"
#include "daemon/access/access.h"
#include "daemon/access/use_gate.h"
#include "daemon/provider/providers.h"
#include "daemon/store/store.h"
#include "daemon/strategy/strategy.h"
#include "daemon/token/downscoped_tokens.h"
#include "daemon/token/refresher.h"
#include "daemon/vault/sealed_fields.h"
#include "daemon/vault/vault.h"

namespace nexus {

/// What a caller gets for one fetch: never a refresh token.
struct FetchedToken {
  std::string connection_id;
  std::string provider_id;
  std::string provider;
  Secret access_token;
  Secret id_token;  ///< empty when openid was not asked for
  TokenFacts facts;
  TokenTarget target;  ///< what it was asked for, where that was not everything
  /// A static connection has these instead of a token: how to use it, and what was captured, as a
  /// JSON object.
  std::optional<Strategy> strategy;
  Secret document;
  /// What it was made of; nothing for one of a target of its own.
  std::shared_ptr<const TokenRow> row;
};

/// Hands out access tokens and static credentials, fresh: what has too little life left is
/// refreshed first.
class Tokens {
 public:
  using Done = std::function<void(Result<FetchedToken>)>;

  Tokens(Store& store, const Vault& vault, Providers& providers, Refresher& refresher,
         DownscopedTokens& downscoped, UseGate& gate, Clock clock);

  /// A token with at least `min_ttl` seconds left where the provider gives such. `done` is called
  /// before `fetch` returns when no refresh is needed, else later, on a worker's thread.
  ///
  /// Errors: attention_required, connection_pending, connection_failed, connection_revoked,
  /// connection_not_found, connection_out_of_scope, access_denied, those of UseGate::pass;
  /// upstream_error,
  /// upstream_timeout, provider_protocol, provider_misconfigured only when no valid token is left.
  /// `right`: what the caller has to have; `forward` where the token goes no further than into a
  /// request of ours.
  void fetch(const std::string& connection_id, UnixTime min_ttl, const Caller& caller, Done done,
             Right right = Right::use);

  /// The same for a token that is good for `target` alone, refreshed whatever is left of it where
  /// `forced`. Also errors: scope_not_allowed (more than was granted, or the provider says no),
  /// invalid_field, static_token.
  void fetch_downscoped(const std::string& connection_id, TokenTarget target, UnixTime min_ttl,
                        bool forced, const Caller& caller, Done done);

  /// Refreshes whatever is left. Also errors: no_refresh_token, static_token.
  void refresh(const std::string& connection_id, const Caller& caller, Done done);
  /// Refreshes where the token that an API refused, told by the hexadecimal digits of its SHA-256,
  /// is the present one still; else that one is the answer. Waits as long as the last failure says,
  /// unlike `refresh`. With `forward` alone once a minute for each connection, then rate_limited:
  /// an API that refuses whatever it gets would have every request cost a refresh.
  void replace_refused(const std::string& connection_id, const std::string& sha256_of_it,
                       const Caller& caller, Done done, Right right = Right::use);

 private:
  /// Behind the gate. `row`: as it is now.
  void fetch_row(const std::shared_ptr<const TokenRow>& row, UnixTime min_ttl, Done done);
  /// Has `act` go on with the connection once the gate is passed; else its error is for `done`.
  void behind_gate(const std::string& connection_id, const Caller& caller, Done done,
                   std::function<void(const ConnectionRow& row, Done done)> act);
  void refresh_row(const ConnectionRow& row, Done done);
  void fetch_for_target(const ConnectionRow& row, const TokenTarget& target, UnixTime min_ttl,
                        bool forced, Done done);
  void replace_row(const ConnectionRow& row, const std::string& sha256_of_it, Done done,
                   Right right);
  Result<FetchedToken> open(const std::shared_ptr<const TokenRow>& row) const;
  Result<FetchedToken> open_static(const ConnectionRow& row, const SealedFields& fields) const;
  /// The connection, for a caller who has that right over it and while it has something to give.
  Result<ConnectionRow> usable(const std::string& connection_id, const Caller& caller, Right right);
  Result<TokenTarget> check_target(const ConnectionRow& row, TokenTarget target);
  Result<FetchedToken> open_downscoped(const ConnectionRow& row, const TokenTarget& target,
                                       const DownscopedTokens::Kept& kept) const;
  Result<FetchedToken> after_downscoped_flight(const std::string& connection_id,
                                               const TokenTarget& target,
                                               const Result<void>& outcome, bool forced);
  bool may_replace_again(const std::string& connection_id);
  void refresh_first(const std::string& connection_id, bool forced, UnixTime wanted, Done done);
  Result<FetchedToken> after_flight(const std::string& connection_id, const Result<void>& outcome,
                                    bool forced);

  Store& store_;
  const Vault& vault_;
  Providers& providers_;
  Refresher& refresher_;
  DownscopedTokens& downscoped_;
  UseGate& gate_;
  Clock clock_;
  std::mutex mutex_;
  std::map<std::string, UnixTime> replaced_;  ///< when, by connection, of the last minute
};

}  // namespace nexus
