#include "daemon/token/revocations.h"

#include <algorithm>

#include "common/api/reader.h"
#include "common/json.h"
#include "daemon/log.h"
#include "daemon/token/refresh_policy.h"
#include "daemon/vault/sealed_fields.h"

namespace nexus {
namespace {

/// While the first attempt is under way, the background leaves it alone so long.
constexpr UnixTime kFirstAttempt = 60;
constexpr UnixTime kPatience = 7 * 24 * 3600;

}  // namespace

Revocations::Revocations(Store& store, const Vault& vault, Providers& providers, Audit& audit,
                         Due& due, Clock clock)
    : store_(store),
      vault_(vault),
      providers_(providers),
      audit_(audit),
      due_(due),
      clock_(std::move(clock)) {}

std::string Revocations::to_text(const RevocationState& state) {
  return JsonWriter()
      .begin()
      .flag("provider_revoked", state.revoked)
      .flag("provider_pending", state.pending)
      .flag("grant_kept", state.kept)
      .member("provider_error", state.error)
      .end()
      .take();
}

Result<RevocationState> Revocations::state(const std::string& connection_id) {
  NEXUS_TRY(const auto outcome, store_.revocation_outcome(connection_id));
  RevocationState state;
  // What cannot be read tells nothing.
  static_cast<void>(api::read_object(outcome, [&](const api::Reader& recorded) -> Result<void> {
    state.revoked = recorded.flag("provider_revoked");
    state.pending = recorded.flag("provider_pending");
    state.kept = recorded.flag("grant_kept") || !recorded.text("replaced_by").empty();
    state.error = recorded.text("provider_error");
    return {};
  }));
  return state;
}

RevocationRow Revocations::intent(const std::string& connection_id) const {
  const auto now = clock_();
  return {connection_id, now + kFirstAttempt, 0, now + kPatience};
}

std::optional<RevocationRow> Revocations::plan(const ConnectionRow& row, std::string& why) {
  const auto record = store_.connection_record(row.id);
  const auto is_token = [](const SealedField& field) {
    return field.field == SecretField::refresh_token || field.field == SecretField::access_token;
  };
  const bool has_token = record && *record &&
                         std::any_of((*record)->fields.begin(), (*record)->fields.end(), is_token);
  const auto endpoints =
      has_token ? endpoints_from_text((*record)->pinned) : Result<ProviderEndpoints>(Error{});
  if (!endpoints) {
    why = "there is nothing to revoke";
    return std::nullopt;
  }
  if (endpoints->revocation.empty()) {
    why = "the provider has no revocation endpoint";
    return std::nullopt;
  }
  return intent(row.id);
}

Result<void> Revocations::discard(const ConnectionRow& row,
                                  const std::vector<SealedField>& tokens) {
  NEXUS_TRY(const auto disconnection, state(row.id));
  if (disconnection.kept) return {};
  {
    // An attempt under way ends with the tokens that it knows of: these come after it.
    std::unique_lock lock(mutex_);
    one_less_.wait(lock, [&] { return !under_way_.contains(row.id); });
    under_way_.insert(row.id);
  }
  auto added = store_.add_revocation(intent(row.id), tokens);
  if (added) static_cast<void>(ask_and_settle(row.id, Told::to_nobody));
  leave(row.id);
  return added;
}

RevocationState Revocations::attempt(const std::string& connection_id, Told told) {
  {
    const std::lock_guard lock(mutex_);
    if (!under_way_.insert(connection_id).second) return {.pending = true};
  }
  const auto done = ask_and_settle(connection_id, told);
  leave(connection_id);
  if (done) return *done;
  return {.pending = true, .error = done.error().message};
}

void Revocations::leave(const std::string& connection_id) {
  const std::lock_guard lock(mutex_);
  under_way_.erase(connection_id);
  one_less_.notify_all();
}

Result<RevocationState> Revocations::ask_and_settle(const std::string& connection_id, Told told) {
  NEXUS_TRY(const auto row, store_.revocation(connection_id));
  NEXUS_TRY(auto record, store_.connection_record(connection_id));
  if (!row || !record) return state(connection_id);
  const auto connection = record->connection;
  if (connection.error_code == kRecordDamaged)  // its provider's may be, and be mended in time
    return settle(*row, connection, {.state = {.pending = true, .error = connection.error_message}},
                  told);
  if (connection.status != ConnectionStatus::revoked) {  // nexusd never makes such a row
    log(LogLevel::error, "revocation_not_ours", {{"connection", connection.id}});
    NEXUS_CHECK(store_.finish_revocation(connection.id, ""));
    return state(connection_id);
  }
  return settle(*row, connection, ask(*std::move(record)), told);
}

/// RFC 7009 2.1: the refresh token first, it ends the grant; then the access token.
Revocations::Answer Revocations::ask(ConnectionRecord record) {
  using oauth::Revocation;
  using Outcome = Revocation::Outcome;
  Answer answer;
  const auto opened = [&]() -> Result<void> {
    const auto& row = record.connection;
    NEXUS_TRY(const auto ours, providers_.client_for(row.provider_id, record.pinned));
    const SealedFields fields(vault_, kConnectionKind, row.id, std::move(record.fields));
    NEXUS_TRY(const auto refresh, fields.open(SecretField::refresh_token));
    NEXUS_TRY(const auto access, fields.open(SecretField::access_token));
    const auto revoke = [&](const Secret& token, const char* type) {
      return ours.client.revoke(token, type);
    };
    Revocation first{Outcome::unsupported, "there is no refresh token"};
    if (!refresh.empty()) first = revoke(refresh, "refresh_token");
    Revocation second{Outcome::unsupported, first.error};
    // What a provider in trouble did not answer for one, it need not be asked for the other.
    if (!access.empty() && first.outcome != Outcome::later) second = revoke(access, "access_token");
    // The refresh token's end is the grant's; the access token's only where that is all there is,
    // or all that the provider revokes.
    const auto& deciding = first.outcome == Outcome::unsupported ? second : first;
    answer.state.revoked = deciding.outcome == Outcome::revoked;
    answer.state.pending = first.outcome == Outcome::later || second.outcome == Outcome::later;
    answer.retry_after_s = std::max(first.retry_after_s, second.retry_after_s);
    if (!answer.state.revoked) answer.state.error = deciding.error;
    if (answer.state.pending && answer.state.error.empty()) answer.state.error = second.error;
    return {};
  }();
  if (!opened) answer.state.error = opened.error().message;
  return answer;
}

RevocationState Revocations::settle(RevocationRow row, const ConnectionRow& connection,
                                    Answer answer, Told told) {
  const auto now = clock_();
  auto& state = answer.state;
  const auto record = [&](AuditEvent event, AuditOutcome outcome) {
    const auto recorded = audit_.commit({.event = event,
                                         .outcome = outcome,
                                         .connection_id = connection.id,
                                         .provider = connection.provider_name,
                                         .detail = state.error},
                                        {});
    if (!recorded) log(LogLevel::error, "audit_failed", {{"error", recorded.error().message}});
  };
  if (state.pending && now < row.give_up_at) {
    const auto wait = std::max<UnixTime>(back_off(++row.failures, chance()), answer.retry_after_s);
    row.next_at = now + wait;
    log(LogLevel::warn, "revocation_postponed",
        {{"connection", connection.id},
         {"error", state.error},
         {"again_in_s", std::to_string(wait)}});
    if (const auto saved = store_.postpone_revocation(row); !saved)
      log(LogLevel::error, "revocation_not_stored", {{"error", saved.error().message}});
    due_.expect(Due::What::revocation, row.next_at);
    return state;
  }
  state.pending = false;
  // An access token that came late and cannot be revoked does not undo the end of its grant.
  if (const auto before = this->state(row.connection_id); before && before->revoked)
    state = {.revoked = true};
  if (const auto saved = store_.finish_revocation(row.connection_id, to_text(state)); !saved)
    log(LogLevel::error, "revocation_not_stored", {{"error", saved.error().message}});
  if (told == Told::to_nobody)
    record(state.revoked ? AuditEvent::grant_revoked : AuditEvent::grant_not_revoked,
           state.revoked ? AuditOutcome::success : AuditOutcome::failure);
  return state;
}

}  // namespace nexus
