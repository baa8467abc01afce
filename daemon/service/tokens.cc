#include "daemon/service/tokens.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/json.h"
#include "common/text.h"
#include "daemon/log.h"
#include "daemon/metrics.h"
#include "daemon/oauth/token_endpoint.h"
#include "daemon/service/connections.h"

namespace nexus {
namespace {

Error needs_attention(const ConnectionRow& row, const std::string& cause) {
  return {ErrorCode::attention_required, "connection " + row.id + " needs attention: " + cause,
          "run: nexus connect " + row.provider_name + " --replace " + row.id, row.id,
          row.provider_name};
}

/// The error of a connection that has no token to give, nothing for an active one.
std::optional<Error> not_active(const ConnectionRow& row) {
  const auto error = [&](ErrorCode code, const std::string& what, const std::string& hint) {
    return Error{code, "connection " + row.id + " " + what, hint, row.id, row.provider_name};
  };
  if (row.status == "active") return std::nullopt;
  if (row.status == "attention_required") return needs_attention(row, row.error_message);
  if (row.status == "pending")
    return error(ErrorCode::connection_pending, "still waits for a person's consent",
                 "finish it in the browser, then ask again");
  if (row.status == "revoked")
    return error(ErrorCode::connection_revoked, "was disconnected",
                 "run: nexus connect " + row.provider_name);
  return error(ErrorCode::connection_failed, "failed: " + row.error_message,
               "run: nexus connect " + row.provider_name);
}

std::optional<UnixTime> seconds_left(const TokenFacts& token, UnixTime now) {
  if (!token.expires_at) return std::nullopt;
  return *token.expires_at - now;
}

bool is_enough(const TokenFacts& token, UnixTime wanted, UnixTime now) {
  const auto left = seconds_left(token, now);
  // A token of this very second is as fresh as it gets, however short its life is.
  const bool just_made = now >= token.obtained_at && now - token.obtained_at <= 1;
  return !left || *left > wanted || (just_made && *left > 0);
}

bool asked_for_openid(const ConnectionRow& row) {
  const auto scopes = split(row.requested_scopes, ' ');
  return std::find(scopes.begin(), scopes.end(), "openid") != scopes.end();
}

}  // namespace

Tokens::Tokens(Store& store, const Vault& vault, Providers& providers, ProviderDirectory& directory,
               HttpClient& http, Audit& audit, WorkerPool& workers, Clock clock)
    : store_(store),
      vault_(vault),
      providers_(providers),
      directory_(directory),
      http_(http),
      audit_(audit),
      workers_(workers),
      clock_(std::move(clock)) {}

void Tokens::fetch(const std::string& connection_id, UnixTime min_ttl, const Caller& caller,
                   Done done) {
  auto row = store_.token(connection_id);
  if (!row) return done(row.error());
  if (!*row) return done(no_such_connection(connection_id));
  const auto& connection = (*row)->connection;
  if (const auto allowed = require(caller, Right::use, connection, connection_id); !allowed)
    return done(allowed.error());
  if (const auto error = not_active(connection)) return done(*error);
  const auto wanted = std::max(refresh_margin(connection.token), min_ttl);
  if (is_enough(connection.token, wanted, clock_())) return done(open(**std::move(row)));
  join_flight(connection_id, {false, wanted, std::move(done)});
}

void Tokens::refresh(const std::string& connection_id, const Caller& caller, Done done) {
  const auto row = store_.connection(connection_id);
  if (!row) return done(row.error());
  if (!*row) return done(no_such_connection(connection_id));
  if (const auto allowed = require(caller, Right::use, **row, connection_id); !allowed)
    return done(allowed.error());
  if (const auto error = not_active(**row)) return done(*error);
  if ((*row)->auth_type != "oauth2")
    return done(
        Error{ErrorCode::static_token,
              "connection " + connection_id + " holds static credentials: nothing to refresh",
              "to change them, run: nexus connect " + (*row)->provider_name + " --replace " +
                  connection_id,
              connection_id, (*row)->provider_name});
  join_flight(connection_id, {true, 0, std::move(done)});
}

Result<FetchedToken> Tokens::open(TokenRow row) const {
  auto& connection = row.connection;
  const SealedFields fields(vault_, kConnectionKind, connection.id, std::move(row.fields));
  if (connection.auth_type != "oauth2") return open_static(std::move(row), fields);
  FetchedToken token;
  NEXUS_TRY(token.access_token, fields.open("access_token"));
  NEXUS_TRY(token.id_token, fields.open("id_token"));
  token.facts = std::move(connection.token);
  token.connection_id = std::move(connection.id);
  token.provider = std::move(connection.provider_name);
  return token;
}

Result<FetchedToken> Tokens::open_static(TokenRow row, const SealedFields& fields) const {
  auto& connection = row.connection;
  // The provider as it is now: where its key goes may have been corrected since.
  NEXUS_TRY(const auto provider, providers_.of_connection(connection));
  FetchedToken token;
  NEXUS_TRY(token.strategy,
            read_strategy(provider.auth_type, provider.auth_header, provider.params));
  NEXUS_TRY(token.document, fields.open("credentials"));
  token.connection_id = std::move(connection.id);
  token.provider = std::move(connection.provider_name);
  return token;
}

void Tokens::join_flight(const std::string& connection_id, Waiter waiter) {
  {
    const std::lock_guard lock(mutex_);
    const auto [flight, first] = flights_.try_emplace(connection_id);
    flight->second.push_back(std::move(waiter));
    if (!first) return;
  }
  workers_.submit([this, connection_id] { fly(connection_id); });
}

void Tokens::fly(const std::string& connection_id) {
  Result<void> outcome = [&]() -> Result<void> {
    NEXUS_TRY(const auto row, store_.connection(connection_id));
    if (!row) return no_such_connection(connection_id);
    if (const auto error = not_active(*row)) return *error;
    // Who looked just before the last flight landed has its result already.
    if (!anybody_needs(*row)) return {};
    return refresh_now(*row);
  }();
  std::vector<Waiter> waiters;
  {
    const std::lock_guard lock(mutex_);
    const auto flight = flights_.find(connection_id);
    waiters = std::move(flight->second);
    flights_.erase(flight);
  }
  for (auto& waiter : waiters) waiter.done(after_flight(connection_id, outcome, waiter.forced));
}

bool Tokens::anybody_needs(const ConnectionRow& row) {
  const auto now = clock_();
  const std::lock_guard lock(mutex_);
  const auto& waiters = flights_[row.id];
  return std::any_of(waiters.begin(), waiters.end(), [&](const Waiter& waiter) {
    return waiter.forced || !is_enough(row.token, waiter.wanted, now);
  });
}

Result<FetchedToken> Tokens::after_flight(const std::string& connection_id,
                                          const Result<void>& outcome, bool forced) {
  if (!outcome && forced) return outcome.error();
  NEXUS_TRY(auto row, store_.token(connection_id));
  if (!row) return no_such_connection(connection_id);
  if (const auto error = not_active(row->connection)) return *error;
  const auto left = seconds_left(row->connection.token, clock_());
  if (!left || *left > 0) return open(*std::move(row));  // also when the refresh failed for now
  if (!outcome) return outcome.error();
  return Error{ErrorCode::upstream_error, "the provider hands out tokens that have expired already",
               "check this machine's clock and the provider's", connection_id,
               row->connection.provider_name};
}

Result<void> Tokens::refresh_now(const ConnectionRow& row) {
  {
    std::unique_lock lock(mutex_);
    if (const auto kept = unsaved_.extract(row.id)) {
      lock.unlock();
      return save(row, std::move(kept.mapped()));
    }
  }
  NEXUS_TRY(auto stored, store_.fields(row.id));
  const SealedFields fields(vault_, kConnectionKind, row.id, std::move(stored));
  NEXUS_TRY(const auto old_token, fields.open("refresh_token"));
  if (old_token.empty()) {
    const auto left = seconds_left(row.token, clock_());
    if (left && *left <= 0)
      return refused(row,
                     {ErrorCode::attention_required,
                      "its token expired and " + row.provider_name + " gave no refresh token"});
    return Error{ErrorCode::no_refresh_token,
                 row.provider_name + " gave no refresh token for connection " + row.id,
                 "the token is used until it expires; ask for offline access when connecting",
                 row.id, row.provider_name};
  }
  NEXUS_TRY(const auto pinned, store_.pinned_endpoints(row.id));
  NEXUS_TRY(const auto provider, providers_.with_secret(row.provider_id));
  NEXUS_TRY(const auto endpoints,
            pinned_endpoints(pinned, provider.provider, !provider.client_secret.empty()));

  const auto sent_at = clock_();
  const metrics::Timer timer;
  auto response = refresh_token(endpoints, provider.client_secret, old_token, http_);
  const auto outcome = response ? Result<void>() : Result<void>(response.error());
  metrics::token_refreshed(row.provider_name, outcome, timer);
  providers_.note_health(row.provider_id, outcome);
  if (!response) return refused(row, response.error());
  return store_refreshed(row, fields, endpoints, provider, *std::move(response), sent_at);
}

Result<void> Tokens::store_refreshed(const ConnectionRow& row, const SealedFields& fields,
                                     const ProviderEndpoints& endpoints,
                                     const ProviderWithSecret& provider, TokenResponse response,
                                     UnixTime sent_at) {
  Unsaved refreshed;
  const bool openid = asked_for_openid(row);
  if (!response.refresh_token.empty())
    refreshed.fields.push_back(fields.seal("refresh_token", response.refresh_token.expose()));
  if (openid && !response.id_token.empty()) {
    IdTokenExpectation expected;
    expected.issuer = endpoints.issuer;
    expected.client_id = endpoints.client_id;
    expected.algorithms = endpoints.id_token_algorithms;
    expected.subject = row.subject;
    expected.access_token = response.access_token.expose();
    expected.now = clock_();
    if (const auto nonce = fields.open("nonce")) expected.nonce_if_present = nonce->expose();
    const auto claims = directory_.verify(endpoints, response.id_token.expose(), expected);
    if (!claims) {
      // The access token is not used, but a rotated refresh token is the only one left.
      if (!refreshed.fields.empty()) {
        refreshed.token = row.token;
        NEXUS_CHECK(save(row, std::move(refreshed)));
      }
      return refused(row, claims.error());
    }
    refreshed.fields.push_back(fields.seal("id_token", response.id_token.expose()));
  }
  refreshed.fields.push_back(fields.seal("access_token", response.access_token.expose()));
  refreshed.token = {response.token_type, response.scope.value_or(row.token.scopes), sent_at, {}};
  if (response.expires_in) refreshed.token.expires_at = sent_at + *response.expires_in;
  const auto current = store_.connection(row.id);
  if (current && *current && (*current)->status == "revoked") {
    // F21: it was disconnected while the provider answered; what came is not wanted any more.
    if (!endpoints.revocation.empty() && !response.refresh_token.empty())
      revoke_token(endpoints, provider.client_secret, response.refresh_token, "refresh_token",
                   http_);
    return *not_active(**current);
  }
  NEXUS_CHECK(save(row, std::move(refreshed)));
  log(LogLevel::info, "token_refreshed", {{"connection", row.id}, {"provider", row.provider_name}});
  return audit_.commit(
      {.event = "token_refreshed", .connection_id = row.id, .provider = row.provider_name}, {});
}

Result<void> Tokens::save(const ConnectionRow& row, Unsaved refreshed) {
  const auto saved = store_.save_refresh(row.id, refreshed.token, refreshed.fields, clock_());
  if (!saved) {
    log(LogLevel::error, "refreshed_token_not_stored",
        {{"connection", row.id}, {"error", saved.error().message}});
    const std::lock_guard lock(mutex_);
    unsaved_[row.id] = std::move(refreshed);  // sealed; stored at the next try, before any request
    return saved.error();
  }
  if (!*saved) return no_such_connection(row.id);
  return {};
}

Result<void> Tokens::refused(const ConnectionRow& row, const Error& error) {
  const bool final = error.code == ErrorCode::attention_required;
  Error told = error;
  if (final)
    told = needs_attention(
        row, error.message.starts_with("its token")
                 ? error.message
                 : row.provider_name + " rejected the refresh (" + error.message + ")");
  told.connection_id = row.id;
  told.provider = row.provider_name;
  const auto cause = final ? told.message.substr(told.message.find(": ") + 2) : error.message;
  log(LogLevel::warn, final ? "attention_required" : "token_refresh_failed",
      {{"connection", row.id}, {"provider", row.provider_name}, {"error", cause}});
  NEXUS_CHECK(store_.set_status(row.id, final ? "attention_required" : "active", error.wire(),
                                cause, clock_()));
  NEXUS_CHECK(audit_.commit({.event = final ? "token_refresh_fatal" : "token_refresh_failed",
                             .outcome = "failure",
                             .connection_id = row.id,
                             .provider = row.provider_name,
                             .detail = cause},
                            {}));
  return told;
}

}  // namespace nexus
