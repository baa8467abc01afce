#include "daemon/token/tokens.h"

#include <algorithm>
#include <cctype>
#include <iterator>

#include "common/text.h"
#include "daemon/connection_errors.h"
#include "daemon/crypto/encoding.h"
#include "daemon/token/refresh_policy.h"

namespace nexus {
namespace {

constexpr UnixTime kBetweenRefusals = 60;

Error static_has_nothing(const ConnectionRow& row, const std::string& what,
                         const std::string& hint) {
  return {ErrorCode::static_token, "connection " + row.id + " holds static credentials: " + what,
          hint, row.id, row.provider_name};
}

Error expired_already(const ConnectionRow& row) {
  return {ErrorCode::upstream_error, "the provider hands out tokens that have expired already",
          "check this machine's clock and the provider's", row.id, row.provider_name};
}

Result<void> check_refreshable(const ConnectionRow& row) {
  if (row.auth_type == AuthType::oauth2) return {};
  return static_has_nothing(row, "nothing to refresh",
                            "to change them, run: " + connect_in_place_of(row));
}

/// RFC 8707 2: an absolute URI without a fragment.
bool is_resource(const std::string& text) {
  const auto colon = text.find(':');
  return colon != std::string::npos && colon > 0 && colon + 1 < text.size() &&
         text.find('#') == std::string::npos &&
         std::isalpha(static_cast<unsigned char>(text[0])) != 0;
}

}  // namespace

Tokens::Tokens(Store& store, const Vault& vault, Providers& providers, Refresher& refresher,
               DownscopedTokens& downscoped, UseGate& gate, Clock clock)
    : store_(store),
      vault_(vault),
      providers_(providers),
      refresher_(refresher),
      downscoped_(downscoped),
      gate_(gate),
      clock_(std::move(clock)) {}

void Tokens::fetch(const std::string& connection_id, UnixTime min_ttl, const Caller& caller,
                   Done done, Right right) {
  const auto row = store_.token(connection_id);
  if (!row) return done(row.error());
  if (!*row) return done(no_such_connection(connection_id));
  const auto& connection = (*row)->connection;
  if (const auto allowed = require(caller, right, connection, connection_id); !allowed)
    return done(allowed.error());
  if (gate_.is_open(connection, caller)) return fetch_row(*row, min_ttl, std::move(done));
  gate_.pass(connection, caller, right,
             [this, connection_id, min_ttl, done = std::move(done)](const Result<void>& passed) {
               if (!passed) return done(passed.error());
               const auto now = store_.token(connection_id);
               if (!now) return done(now.error());
               if (!*now) return done(no_such_connection(connection_id));
               fetch_row(*now, min_ttl, done);
             });
}

void Tokens::fetch_row(const std::shared_ptr<const TokenRow>& row, UnixTime min_ttl, Done done) {
  const auto& connection = row->connection;
  if (const auto error = not_active(connection)) return done(*error);
  if (connection.auth_type == AuthType::oauth2) refresher_.note_use(connection.id);
  const auto wanted = std::max(refresh_margin(connection.token), min_ttl);
  if (is_enough(connection.token, wanted, clock_())) return done(open(row));
  refresh_first(connection.id, false, wanted, std::move(done));
}

Result<ConnectionRow> Tokens::usable(const std::string& connection_id, const Caller& caller,
                                     Right right) {
  NEXUS_TRY(auto row, store_.connection(connection_id));
  if (!row) return no_such_connection(connection_id);
  NEXUS_CHECK(require(caller, right, *row, connection_id));
  if (const auto error = not_active(*row)) return *error;
  return *std::move(row);
}

void Tokens::behind_gate(const std::string& connection_id, const Caller& caller, Done done,
                         std::function<void(const ConnectionRow& row, Done done)> act) {
  const auto row = usable(connection_id, caller, Right::use);
  if (!row) return done(row.error());
  if (gate_.is_open(*row, caller)) return act(*row, std::move(done));
  gate_.pass(*row, caller, Right::use,
             [this, connection_id, caller, done = std::move(done),
              act = std::move(act)](const Result<void>& passed) {
               if (!passed) return done(passed.error());
               const auto now = usable(connection_id, caller, Right::use);
               now ? act(*now, done) : done(now.error());
             });
}

void Tokens::refresh(const std::string& connection_id, const Caller& caller, Done done) {
  behind_gate(connection_id, caller, std::move(done),
              [this](const ConnectionRow& row, Done told) { refresh_row(row, std::move(told)); });
}

void Tokens::refresh_row(const ConnectionRow& row, Done done) {
  if (const auto refreshable = check_refreshable(row); !refreshable)
    return done(refreshable.error());
  refresher_.note_use(row.id);
  refresh_first(row.id, true, 0, std::move(done));
}

void Tokens::replace_refused(const std::string& connection_id, const std::string& sha256_of_it,
                             const Caller& caller, Done done, Right right) {
  // A request that is sent on has come through the gate.
  if (right == Right::forward) {
    const auto row = usable(connection_id, caller, right);
    return row ? replace_row(*row, sha256_of_it, std::move(done), right) : done(row.error());
  }
  behind_gate(connection_id, caller, std::move(done),
              [this, sha256_of_it, right](const ConnectionRow& row, Done told) {
                replace_row(row, sha256_of_it, std::move(told), right);
              });
}

void Tokens::replace_row(const ConnectionRow& connection, const std::string& sha256_of_it,
                         Done done, Right right) {
  if (const auto refreshable = check_refreshable(connection); !refreshable)
    return done(refreshable.error());
  const auto& connection_id = connection.id;
  const auto row = store_.token(connection_id);
  if (!row) return done(row.error());
  if (!*row) return done(no_such_connection(connection_id));
  auto present = open(*row);
  if (!present || hex(sha256(present->access_token.expose())) != sha256_of_it)
    return done(std::move(present));
  if (right == Right::forward && !may_replace_again(connection_id))
    return done(Error{ErrorCode::rate_limited,
                      "connection " + connection_id + " was given a new token just now",
                      "see what the API says; its token is not why", connection_id});
  refresher_.note_use(connection_id);
  refresher_.join(connection_id, {.refused = (*row)->connection.token.obtained_at,
                                  .done = [this, connection_id,
                                           done = std::move(done)](const Result<void>& outcome) {
                                    done(after_flight(connection_id, outcome, true));
                                  }});
}

bool Tokens::may_replace_again(const std::string& connection_id) {
  const std::lock_guard lock(mutex_);
  const auto now = clock_();
  std::erase_if(replaced_, [&](const auto& each) { return now - each.second >= kBetweenRefusals; });
  return replaced_.emplace(connection_id, now).second;
}

Result<TokenTarget> Tokens::check_target(const ConnectionRow& row, TokenTarget target) {
  if (row.auth_type != AuthType::oauth2)
    return static_has_nothing(row, "they have neither scopes nor an audience",
                              "ask without --scope and --audience");
  auto scopes = split(target.scopes, ' ');
  std::erase(scopes, "");
  std::sort(scopes.begin(), scopes.end());
  scopes.erase(std::unique(scopes.begin(), scopes.end()), scopes.end());
  const auto bad = [&](const std::string& what, const std::string& hint) {
    return Error{ErrorCode::invalid_field, what, hint, row.id, row.provider_name};
  };
  const auto longest = std::max(target.scopes.size(), target.audience.size());
  if (!is_vschar(target.scopes) || !is_vschar(target.audience) || longest > 4096)
    return bad("scope or audience has characters or a length that are not allowed",
               "give each scope on its own, and the audience as the provider names it");
  target.scopes = join(scopes, " ");
  NEXUS_TRY(const auto provider, providers_.of_connection(row));
  const auto& dialect = provider.settings.dialect;
  if (!target.audience.empty() && dialect.audience_parameter == "resource" &&
      !is_resource(target.audience))
    return bad("audience has to be an absolute URI without a fragment",
               "for example https://api.example.com; where the provider wants another name, "
               "run: nexus provider edit " +
                   provider.name + " --param audience_parameter=audience");
  // RFC 6749 6: a refresh brings no more than was granted. Who asks as the client may ask for all.
  auto granted = split(row.token.scopes, ' ');
  std::erase(granted, "");
  if (is_unattended(provider.grant) || granted.empty()) return target;
  std::sort(granted.begin(), granted.end());
  std::vector<std::string> beyond;
  std::set_difference(scopes.begin(), scopes.end(), granted.begin(), granted.end(),
                      std::back_inserter(beyond));
  if (!beyond.empty())
    return Error{ErrorCode::scope_not_allowed,
                 "connection " + row.id + " was not granted " + printable(join(beyond, " "), 200),
                 "it has: " + printable(join(granted, " "), 300) +
                     "; for more, run: " + connect_in_place_of(row) + " --scope …",
                 row.id, row.provider_name};
  if (scopes == granted) target.scopes.clear();
  return target;
}

void Tokens::fetch_downscoped(const std::string& connection_id, TokenTarget target,
                              UnixTime min_ttl, bool forced, const Caller& caller, Done done) {
  behind_gate(
      connection_id, caller, std::move(done),
      [this, target = std::move(target), min_ttl, forced](const ConnectionRow& row, Done told) {
        fetch_for_target(row, target, min_ttl, forced, std::move(told));
      });
}

void Tokens::fetch_for_target(const ConnectionRow& row, const TokenTarget& target, UnixTime min_ttl,
                              bool forced, Done done) {
  auto checked = check_target(row, target);
  if (!checked) return done(checked.error());
  if (checked->is_everything() && forced) return refresh_row(row, std::move(done));
  if (checked->is_everything()) {
    const auto whole = store_.token(row.id);
    if (!whole) return done(whole.error());
    if (!*whole) return done(no_such_connection(row.id));
    return fetch_row(*whole, min_ttl, std::move(done));
  }
  refresher_.note_use(row.id);
  const auto kept = downscoped_.find(row.id, *checked);
  const auto wanted = kept ? std::max(refresh_margin(kept->facts), min_ttl) : min_ttl;
  if (!forced && kept && is_enough(kept->facts, wanted, clock_()))
    return done(open_downscoped(row, *checked, *kept));
  refresher_.join(row.id, {.forced = forced,
                           .wanted = wanted,
                           .target = *checked,
                           .done = [this, connection_id = row.id, target = *checked, forced,
                                    done = std::move(done)](const Result<void>& outcome) {
                             done(after_downscoped_flight(connection_id, target, outcome, forced));
                           }});
}

Result<FetchedToken> Tokens::after_downscoped_flight(const std::string& connection_id,
                                                     const TokenTarget& target,
                                                     const Result<void>& outcome, bool forced) {
  if (!outcome && forced) return outcome.error();
  NEXUS_TRY(const auto row, store_.connection(connection_id));
  if (!row) return no_such_connection(connection_id);
  if (const auto error = not_active(*row)) return *error;
  const auto kept = downscoped_.find(connection_id, target);
  if (kept && is_enough(kept->facts, 0, clock_())) return open_downscoped(*row, target, *kept);
  if (!outcome) return outcome.error();
  return expired_already(*row);
}

Result<FetchedToken> Tokens::open_downscoped(const ConnectionRow& row, const TokenTarget& target,
                                             const DownscopedTokens::Kept& kept) const {
  FetchedToken token;
  NEXUS_TRY(token.access_token, downscoped_.open(row.id, target, kept));
  token.facts = kept.facts;
  token.facts.token_fields = row.token.token_fields;
  if (token.facts.expires_at) *token.facts.expires_at -= clock_ahead();
  token.connection_id = row.id;
  token.provider_id = row.provider_id;
  token.provider = row.provider_name;
  token.target = target;
  return token;
}

Result<FetchedToken> Tokens::open(const std::shared_ptr<const TokenRow>& row) const {
  const auto& connection = row->connection;
  const SealedFields fields(vault_, kConnectionKind, connection.id, row->fields);
  if (connection.auth_type != AuthType::oauth2) {
    NEXUS_TRY(auto token, open_static(connection, fields));
    token.row = row;
    return token;
  }
  FetchedToken token;
  token.row = row;
  NEXUS_TRY(token.access_token, fields.open(SecretField::access_token));
  NEXUS_TRY(token.id_token, fields.open(SecretField::id_token));
  token.facts = connection.token;
  // Told by the wall clock, as callers read it.
  if (token.facts.expires_at) *token.facts.expires_at -= clock_ahead();
  token.connection_id = connection.id;
  token.provider_id = connection.provider_id;
  token.provider = connection.provider_name;
  return token;
}

Result<FetchedToken> Tokens::open_static(const ConnectionRow& connection,
                                         const SealedFields& fields) const {
  // The provider as it is now: where its key goes may have been corrected since.
  NEXUS_TRY(const auto provider, providers_.of_connection(connection));
  FetchedToken token;
  if (!provider.api)
    return static_has_nothing(connection, "its provider takes none any more",
                              "run: " + connect_again(connection));
  token.strategy = provider.api->strategy;
  NEXUS_TRY(token.document, fields.open(SecretField::credentials));
  token.connection_id = connection.id;
  token.provider_id = connection.provider_id;
  token.provider = connection.provider_name;
  return token;
}

void Tokens::refresh_first(const std::string& connection_id, bool forced, UnixTime wanted,
                           Done done) {
  refresher_.join(connection_id, {.forced = forced,
                                  .wanted = wanted,
                                  .done = [this, connection_id, forced,
                                           done = std::move(done)](const Result<void>& outcome) {
                                    done(after_flight(connection_id, outcome, forced));
                                  }});
}

Result<FetchedToken> Tokens::after_flight(const std::string& connection_id,
                                          const Result<void>& outcome, bool forced) {
  if (!outcome && forced) return outcome.error();
  NEXUS_TRY(const auto row, store_.token(connection_id));
  if (!row) return no_such_connection(connection_id);
  if (const auto error = not_active(row->connection)) return *error;
  // Also when the refresh failed for now: a token that is good is good.
  if (is_enough(row->connection.token, 0, clock_())) return open(row);
  if (!outcome) return outcome.error();
  return expired_already(row->connection);
}

}  // namespace nexus
