#include "daemon/token/refresh.h"

#include "daemon/connection_errors.h"
#include "daemon/crypto/encoding.h"
#include "daemon/log.h"
#include "daemon/metrics.h"
#include "daemon/oauth/token_fields.h"
#include "daemon/token/refresh_policy.h"

namespace nexus {
namespace {

/// A repeat that comes later than this is not at once, and makes callers wait for too long.
constexpr UnixTime kAtOnce = 5;
constexpr long kRepeatMs = 10'000;

/// F7: the provider may have taken the token and lost us its answer. Many give a moment's grace, in
/// which the same token brings the same answer. Not so one that is slow, which would have both
/// requests in hand, nor one whose answer cannot be taken.
bool may_repeat(const Error& error, UnixTime after) {
  return error.code == ErrorCode::upstream_error && after <= kAtOnce;
}

/// How long a new token lives. Where the answer does not tell, it is as long as the one before.
std::optional<std::int64_t> life_of(const TokenResponse& response, const TokenFacts& before,
                                    const Dialect& dialect) {
  if (response.expires_in || dialect.tokens_never_expire || !before.expires_at)
    return response.expires_in;
  const auto life = *before.expires_at - before.obtained_at;
  return life > 0 ? std::optional(life) : std::nullopt;
}

/// Whether an answer says whose it is.
bool has_identity(const ConnectionRow& row, const TokenResponse& response) {
  return row.asked_for_openid() && !response.id_token.empty();
}

}  // namespace

Refresh::Refresh(const Vault& vault, Providers& providers, MetadataCache& metadata,
                 RefreshLedger& ledger, DownscopedTokens& downscoped, Revocations& revocations,
                 Clock clock)
    : vault_(vault),
      providers_(providers),
      metadata_(metadata),
      ledger_(ledger),
      downscoped_(downscoped),
      revocations_(revocations),
      clock_(std::move(clock)) {}

Result<void> Refresh::run(ConnectionRecord record, const TokenTarget& target) {
  NEXUS_TRY(auto ours, providers_.client_for(record.connection.provider_id, record.pinned));
  const auto id = record.connection.id;
  const Errand errand{std::move(record.connection),
                      SealedFields(vault_, kConnectionKind, id, std::move(record.fields)),
                      std::move(ours), target};
  if (is_unattended(errand.ours.client.grant())) return ask_as_client(errand);
  NEXUS_TRY(const auto token, errand.secrets.open(SecretField::refresh_token));
  return token.empty() ? without_refresh_token(errand.row) : use_refresh_token(errand, token);
}

Result<void> Refresh::without_refresh_token(const ConnectionRow& row) {
  if (!is_enough(row.token, 0, clock_()))
    return ledger_.over_for_good(
        row, "its token expired and " + row.provider_name + " gave no refresh token", false);
  return Error{ErrorCode::no_refresh_token,
               row.provider_name + " gave no refresh token for connection " + row.id,
               "the token is used until it expires; ask for offline access when connecting", row.id,
               row.provider_name};
}

Result<void> Refresh::ask_as_client(const Errand& errand) {
  const auto& row = errand.row;
  const auto sent_at = clock_();
  const metrics::Timer timer;
  const auto response = errand.ours.client.as_client(row.requested_scopes, errand.target);
  const auto outcome = response ? Result<void>() : Result<void>(response.error());
  metrics::token_refreshed(row.provider_name,
                           response ? metrics::Refreshed::success : metrics::Refreshed::failed,
                           timer);
  providers_.note_health(row.provider_id, outcome);
  if (response) return store(errand, *response, sent_at);
  if (response.error().code == ErrorCode::scope_not_allowed) return about(row, response.error());
  return ledger_.failed(row, response.error(), row.refresh_sent);
}

Result<void> Refresh::use_refresh_token(const Errand& errand, const Secret& token) {
  const auto& row = errand.row;
  const auto& client = errand.ours.client;
  const auto generation = errand.secrets.generation(SecretField::refresh_token);
  const bool was_unanswered = row.refresh_sent == generation;
  NEXUS_CHECK(ledger_.sent(row, generation));

  const auto sent_at = clock_();
  const metrics::Timer timer;
  auto answer = client.refresh(token, errand.target);
  bool unanswered = was_unanswered;
  if (!answer && answer.error().may_have_arrived) {
    log(LogLevel::info, "refresh_unanswered",
        {{"connection", row.id}, {"error", answer.error().message}});
    unanswered = true;
    if (!was_unanswered && may_repeat(answer.error(), clock_() - sent_at))
      answer = client.refresh(token, errand.target, kRepeatMs);
  }
  const auto* over = answer ? std::get_if<oauth::GrantOver>(&*answer) : nullptr;
  const auto* rotated = answer ? std::get_if<oauth::OnlyRefreshToken>(&*answer) : nullptr;
  const auto outcome = rotated  ? Result<void>(rotated->error)
                       : answer ? Result<void>()
                                : Result<void>(answer.error());
  metrics::token_refreshed(row.provider_name,
                           over      ? metrics::Refreshed::rejected
                           : outcome ? metrics::Refreshed::success
                                     : metrics::Refreshed::failed,
                           timer);
  providers_.note_health(row.provider_id, outcome);
  if (over)
    return ledger_.over_for_good(
        row,
        row.provider_name + " rejected the refresh (" + over->reason + ")" +
            (unanswered ? ": an interrupted refresh, whose answer was lost" : ""),
        unanswered);
  if (rotated) {
    NEXUS_CHECK(keep(errand, rotated->refresh_token));
    return ledger_.failed(row, rotated->error, 0);
  }
  if (answer) return store(errand, std::get<TokenResponse>(*answer), sent_at);
  const auto& error = answer.error();
  const auto still_unanswered = was_unanswered ? generation : 0;
  if (error.code == ErrorCode::scope_not_allowed) {
    // Answered, and nothing came of it: the refresh token is as good as before.
    NEXUS_CHECK(ledger_.sent(row, still_unanswered));
    return about(row, error);
  }
  return ledger_.failed(row, error, error.may_have_arrived ? generation : still_unanswered);
}

/// D20: an id_token that comes with a refresh is of the same person at the same provider.
Result<void> Refresh::check_identity(const Errand& errand, const TokenResponse& response) {
  IdTokenExpectation expected;
  expected.subject = errand.row.subject;
  if (const auto nonce = errand.secrets.open(SecretField::nonce))
    expected.nonce_if_present = nonce->expose();
  const auto claims =
      metadata_.verify(errand.ours.client.endpoints(), response, std::move(expected));
  return claims ? Result<void>() : Result<void>(claims.error());
}

/// The one refresh token that is left, while the rest of its answer is of no use (yet).
Result<void> Refresh::keep(const Errand& errand, const Secret& refresh_token) {
  const auto& row = errand.row;
  auto sealed = errand.secrets.seal(SecretField::refresh_token, refresh_token.expose());
  return save(errand, {.token = row.token, .fields = {sealed}}, {sealed});
}

Result<void> Refresh::store(const Errand& errand, const TokenResponse& response, UnixTime sent_at) {
  const auto& [row, secrets, ours, target] = errand;
  Refreshed refreshed{.token = row.token, .lapses = !is_unattended(ours.client.grant())};
  // One that comes back as it was sent is no new one: the next generation tells of a provider that
  // replaces them.
  NEXUS_TRY(const auto held, secrets.open(SecretField::refresh_token));
  if (!response.refresh_token.empty() &&
      !equal_constant_time(response.refresh_token.expose(), held.expose()))
    refreshed.fields.push_back(
        secrets.seal(SecretField::refresh_token, response.refresh_token.expose()));
  auto access_token = secrets.seal(SecretField::access_token, response.access_token.expose());
  auto issued = refreshed.fields;
  issued.push_back(access_token);
  if (has_identity(row, response)) {
    // Their keys may have to be fetched, and it may be somebody else's: whatever comes of it, a
    // refresh token that was rotated is the only one left.
    auto kept = refreshed.fields.empty() ? Result<void>() : save(errand, refreshed, issued);
    if (!kept && kept.error().code == ErrorCode::connection_revoked) return kept;
    if (const auto same = check_identity(errand, response); !same)
      return kept ? ledger_.failed(row, same.error(), 0) : kept;
    if (kept) refreshed.fields.clear();
  }
  const auto usual = target.scopes.empty() ? row.token.scopes : target.scopes;
  TokenFacts facts{response.token_type,
                   response.scope.value_or(usual),
                   sent_at,
                   {},
                   later_token_fields(row.token.token_fields, response.token_fields,
                                      ours.client.dialect().token_fields)};
  if (const auto life = life_of(response, row.token, ours.client.dialect()))
    facts.expires_at = sent_at + *life;
  if (target.is_everything()) {
    refreshed.token = facts;
    refreshed.fields.push_back(std::move(access_token));
    if (has_identity(row, response))
      refreshed.fields.push_back(secrets.seal(SecretField::id_token, response.id_token.expose()));
  }
  NEXUS_CHECK(save(errand, std::move(refreshed), issued));
  if (!target.is_everything()) downscoped_.keep(row.id, target, facts, response.access_token);
  return ledger_.record(row, describe(target));
}

Result<void> Refresh::save(const Errand& errand, Refreshed refreshed,
                           const std::vector<SealedField>& issued) {
  const auto& row = errand.row;
  auto saved = ledger_.save(row, std::move(refreshed));
  if (saved || saved.error().code != ErrorCode::connection_not_found) return saved;
  // F21: it was disconnected while the provider answered; what came is not wanted any more.
  if (!errand.ours.client.endpoints().revocation.empty())
    NEXUS_CHECK(revocations_.discard(row, issued));
  auto gone = row;
  gone.status = ConnectionStatus::revoked;
  return *not_active(gone);
}

}  // namespace nexus
