#include "daemon/service/tokens.h"

#include <algorithm>

#include "daemon/service/refresh_policy.h"

namespace nexus {
Tokens::Tokens(Store& store, const Vault& vault, Providers& providers, Refresher& refresher,
               Clock clock)
    : store_(store),
      vault_(vault),
      providers_(providers),
      refresher_(refresher),
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
  if (connection.auth_type == "oauth2") refresher_.note_use(connection_id);
  const auto wanted = std::max(refresh_margin(connection.token), min_ttl);
  if (is_enough(connection.token, wanted, clock_())) return done(open(**std::move(row)));
  refresh_first(connection_id, false, wanted, std::move(done));
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
  refresher_.note_use(connection_id);
  refresh_first(connection_id, true, 0, std::move(done));
}

Result<FetchedToken> Tokens::open(TokenRow row) const {
  auto& connection = row.connection;
  const SealedFields fields(vault_, kConnectionKind, connection.id, std::move(row.fields));
  if (connection.auth_type != "oauth2") return open_static(std::move(row), fields);
  FetchedToken token;
  NEXUS_TRY(token.access_token, fields.open("access_token"));
  NEXUS_TRY(token.id_token, fields.open("id_token"));
  token.facts = std::move(connection.token);
  // Told by the wall clock, as callers read it.
  if (token.facts.expires_at) *token.facts.expires_at -= clock_ahead();
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

void Tokens::refresh_first(const std::string& connection_id, bool forced, UnixTime wanted,
                           Done done) {
  refresher_.join(connection_id, {.forced = forced,
                                  .wanted = wanted,
                                  .landed = [this, connection_id, forced,
                                             done = std::move(done)](const Result<void>& outcome) {
                                    done(after_flight(connection_id, outcome, forced));
                                  }});
}

Result<FetchedToken> Tokens::after_flight(const std::string& connection_id,
                                          const Result<void>& outcome, bool forced) {
  if (!outcome && forced) return outcome.error();
  NEXUS_TRY(auto row, store_.token(connection_id));
  if (!row) return no_such_connection(connection_id);
  if (const auto error = not_active(row->connection)) return *error;
  // Also when the refresh failed for now: a token that is good is good.
  if (is_enough(row->connection.token, 0, clock_())) return open(*std::move(row));
  if (!outcome) return outcome.error();
  return Error{ErrorCode::upstream_error, "the provider hands out tokens that have expired already",
               "check this machine's clock and the provider's", connection_id,
               row->connection.provider_name};
}

}  // namespace nexus
