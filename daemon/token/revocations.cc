#include "daemon/token/revocations.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/json.h"
#include "daemon/log.h"
#include "daemon/oauth/revocation.h"
#include "daemon/token/refresh_policy.h"
#include "daemon/token/refresher.h"
#include "daemon/vault/sealed_fields.h"

namespace nexus {
namespace {

/// While the first attempt is under way, the background leaves it alone so long.
constexpr UnixTime kFirstAttempt = 60;
constexpr UnixTime kPatience = 7 * 24 * 3600;

}  // namespace

Revocations::Revocations(Store& store, const Vault& vault, Providers& providers, HttpClient& http,
                         Audit& audit, Clock clock)
    : store_(store),
      vault_(vault),
      providers_(providers),
      http_(http),
      audit_(audit),
      clock_(std::move(clock)) {}

std::string Revocations::to_text(const RevocationState& state) {
  return nexus::to_text(Json{{"provider_revoked", state.revoked},
                             {"provider_pending", state.pending},
                             {"provider_error", state.error}});
}

Result<RevocationState> Revocations::state(const std::string& connection_id) {
  NEXUS_TRY(const auto outcome, store_.revocation_outcome(connection_id));
  const auto recorded = Json::parse(outcome, nullptr, false);
  RevocationState state;
  if (!recorded.is_object()) return state;
  state.revoked = recorded.value("provider_revoked", false);
  state.pending = recorded.value("provider_pending", false);
  state.error = recorded.value("provider_error", "");
  return state;
}

RevocationRow Revocations::intent(const std::string& connection_id) const {
  const auto now = clock_();
  return {connection_id, now + kFirstAttempt, 0, now + kPatience};
}

std::optional<RevocationRow> Revocations::plan(const ConnectionRow& row, std::string& why) {
  const auto pinned = store_.pinned_endpoints(row.id);
  const auto stored = store_.fields(row.id);
  const bool has_token =
      stored && std::any_of(stored->begin(), stored->end(), [](const auto& field) {
        return field.field == "refresh_token" || field.field == "access_token";
      });
  const auto endpoints = pinned ? Json::parse(*pinned, nullptr, false) : Json();
  if (!has_token || !endpoints.is_object()) {
    why = "there is nothing to revoke";
    return std::nullopt;
  }
  if (endpoints.value("revocation", "").empty()) {
    why = "the provider has no revocation endpoint";
    return std::nullopt;
  }
  return intent(row.id);
}

Result<void> Revocations::discard(const ConnectionRow& row, SealedField refresh_token) {
  {
    // An attempt under way ends with the tokens that it knows of: this one comes after it.
    std::unique_lock lock(mutex_);
    one_less_.wait(lock, [&] { return !under_way_.contains(row.id); });
    under_way_.insert(row.id);
  }
  auto added = store_.add_revocation(intent(row.id), {std::move(refresh_token)});
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
  NEXUS_TRY(const auto connection, store_.connection(connection_id));
  if (!row || !connection) return state(connection_id);
  return settle(*row, *connection, ask(*connection), told);
}

/// RFC 7009 2.1: the refresh token first, it ends the grant; then the access token.
Revocations::Answer Revocations::ask(const ConnectionRow& row) {
  using Outcome = Revocation::Outcome;
  Answer answer;
  const auto opened = [&]() -> Result<void> {
    NEXUS_TRY(const auto provider, providers_.with_secret(row.provider_id));
    NEXUS_TRY(const auto pinned, store_.pinned_endpoints(row.id));
    NEXUS_TRY(const auto endpoints,
              pinned_endpoints(pinned, provider.provider, !provider.client_secret.empty()));
    NEXUS_TRY(auto stored, store_.fields(row.id));
    const SealedFields fields(vault_, kConnectionKind, row.id, std::move(stored));
    NEXUS_TRY(const auto refresh, fields.open("refresh_token"));
    NEXUS_TRY(const auto access, fields.open("access_token"));
    const auto revoke = [&](const Secret& token, const char* type) {
      return revoke_token(endpoints, provider.client_secret, token, type, http_);
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
  const auto record = [&](const char* event, const char* outcome) {
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
    if (timer_) timer_->expect(row.next_at);
    return state;
  }
  state.pending = false;
  if (const auto saved = store_.finish_revocation(row.connection_id, to_text(state)); !saved)
    log(LogLevel::error, "revocation_not_stored", {{"error", saved.error().message}});
  if (told == Told::to_nobody)
    record(state.revoked ? "grant_revoked" : "grant_not_revoked",
           state.revoked ? "success" : "failure");
  return state;
}

}  // namespace nexus
