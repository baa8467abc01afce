#include "daemon/connect/flows.h"

#include "daemon/connect/flow_state.h"
#include "daemon/connection_errors.h"
#include "daemon/crypto/encoding.h"
#include "daemon/log.h"
#include "daemon/net/url.h"

namespace nexus {

namespace {

/// What is to be done about an error, beside beginning again: "" for nothing.
std::string mend_for(const ConnectionRow& row, const Error& error) {
  const auto hint = about(row, error).hint;
  return hint == "start again: " + connect_again(row) ? "" : hint;
}

/// A write transaction of so many is short; the rest is due at once.
constexpr std::int64_t kExpiredAtOnce = 200;
/// Seconds for which a failed attempt is known: whoever began it has long been told, and asks no
/// more.
constexpr UnixTime kFailureKept = 30 * 24 * 3600;
constexpr std::int64_t kForgottenAtOnce = 200;
/// A flow that was answered needs its listener for a moment more: browsers reload, and so does,
/// after two seconds, the page of an answer that is still looked at.
constexpr UnixTime kListenAfterwards = 3;

}  // namespace

Flows::Flows(Store& store, const Vault& vault, Audit& audit, Refusals& refusals,
             CallbackListener& listener, Due& due, ReturnUrls return_urls, MostPending most,
             Clock clock, Clock wall_clock)
    : store_(store),
      vault_(vault),
      audit_(audit),
      refusals_(refusals),
      listener_(listener),
      due_(due),
      return_urls_(std::move(return_urls)),
      most_(most),
      clock_(std::move(clock)),
      wall_clock_(std::move(wall_clock)) {}

Error Flows::does_not_belong(const std::string& message) {
  return {ErrorCode::invalid_state, message, "start again: nexus connect PROVIDER"};
}

std::string Flows::new_state(const std::string& connection_id, const std::string& issuer,
                             const std::string& uri) const {
  return new_flow_state(vault_, {connection_id, issuer, uri});
}

Result<std::string> Flows::listen(const std::string& uri, bool any_port) {
  const std::lock_guard lock(listener_mutex_);
  auto opened = listener_.open(uri);
  if (opened) return uri;
  if (!any_port) return std::move(opened).error();
  const auto elsewhere = listener_.with_free_port(uri);
  if (!elsewhere || !listener_.open(*elsewhere)) return std::move(opened).error();
  return *elsewhere;
}

Result<void> Flows::begin(ConnectionRow& row, NewFlow flow, const Caller& caller) {
  row.created_at = wall_clock_();
  row.pending_until = clock_() + flow.life;
  const SealedFields sealer(vault_, kConnectionKind, row.id);
  std::vector<SealedField> sealed;
  for (const auto& [field, secret] : flow.secrets)
    sealed.push_back(sealer.seal(field, secret.expose()));
  FlowRow stored;
  stored.connection_id = row.id;
  stored.kind = flow.kind;
  if (!flow.state.empty()) stored.state_hash = base64url(sha256(flow.state));
  stored.redirect_uri = std::move(flow.redirect_uri);
  stored.awaited = flow.awaited;
  stored.issuer = std::move(flow.issuer);
  stored.pinned = std::move(flow.pinned);
  stored.interval = flow.interval;
  stored.expires_at = row.pending_until;
  stored.api_key = caller.key;
  {
    const std::lock_guard lock(listener_mutex_);
    if (stored.kind != FlowKind::unattended) NEXUS_CHECK(check_room(caller));
    if (stored.awaited) NEXUS_CHECK(listener_.open(stored.redirect_uri));
    NEXUS_CHECK(audit_.commit({.event = AuditEvent::connection_created,
                               .connection_id = row.id,
                               .provider = row.provider_name},
                              caller));
    NEXUS_CHECK(store_.begin_flow(row, stored, sealed));
  }
  due_.expect(Due::What::flow_expiry, row.pending_until);
  return {};
}

Result<int> Flows::wait_for_room(const std::string& api_key, std::int64_t most) {
  if (most == 0) return 0;
  const auto now = clock_();
  NEXUS_TRY(const auto last, store_.nth_expiry(api_key, now, most - 1));
  if (!last) return 0;
  NEXUS_TRY(const auto first, store_.nth_expiry(api_key, now, 0));
  return static_cast<int>(first.value_or(*last) - now);
}

Result<void> Flows::check_room(const Caller& caller) {
  const auto full = [](ErrorCode code, const std::string& message, int wait,
                       const std::string& setting) {
    Error error{code, message,
                "disconnect some of them (nexus list), try again in " + std::to_string(wait) +
                    " s, or raise " + setting};
    error.retry_after_s = wait;
    return error;
  };
  if (caller.via == Caller::Via::control_socket) return {};  // nobody keeps the owner out
  if (!caller.key.empty()) {
    NEXUS_TRY(const int wait, wait_for_room(caller.key, most_.of_key));
    if (wait > 0)
      return full(ErrorCode::rate_limited,
                  std::to_string(most_.of_key) + " connections of this key wait for an answer",
                  wait, "limits.pending_per_key");
  }
  NEXUS_TRY(const int wait, wait_for_room("", most_.all));
  if (wait > 0)
    return full(ErrorCode::overloaded,
                std::to_string(most_.all) + " connections wait for an answer", wait,
                "limits.pending");
  return {};
}

Result<FlowRow> Flows::find(const std::string& state, const std::string& uri) {
  const Error unknown = does_not_belong("this answer belongs to no connection that is waiting");
  NEXUS_TRY(auto flow, store_.flow(base64url(sha256(state))));
  if (!flow || flow->expires_at <= clock_()) return unknown;
  if (!is_flow_state(vault_, state, {flow->connection_id, flow->issuer, flow->redirect_uri}))
    return unknown;
  if (flow->redirect_uri != uri)
    return does_not_belong("this answer came to another provider's address");
  return *std::move(flow);
}

Result<FlowRow> Flows::find_of(const std::string& connection_id, FlowKind kind) {
  NEXUS_TRY(auto flow, store_.flow_of(connection_id));
  if (!flow || flow->kind != kind || flow->expires_at <= clock_())
    return does_not_belong("the connection waits for no such answer");
  return *std::move(flow);
}

Result<PendingConnection> Flows::pending(const FlowRow& flow) {
  NEXUS_TRY(auto record, store_.connection_record(flow.connection_id));
  if (!record || record->connection.status != ConnectionStatus::pending)
    return does_not_belong("this answer belongs to no connection that is waiting");
  auto id = record->connection.id;
  return PendingConnection{
      std::move(record->connection),
      SealedFields(vault_, kConnectionKind, std::move(id), std::move(record->fields))};
}

Result<PendingConnection> Flows::take(const FlowRow& flow) {
  NEXUS_TRY(const auto first, store_.consume_flow(flow.connection_id));
  if (!first) return does_not_belong("this answer was given before");
  due_.expect(Due::What::flow_expiry, clock_() + kListenAfterwards);
  return pending(flow);
}

Result<void> Flows::turn_away(const Error& unknown, const Caller& caller) {
  const auto record =
      refusals_.note(AuditEvent::state_verification_failed, caller, unknown.message);
  if (!record) return {};
  return audit_.commit({*record});
}

FlowOutcome Flows::end(const ConnectionRow& row, AuditEvent event, const std::string& code,
                       const std::string& message, const std::string& mend, const Caller& caller) {
  const auto cause = code == "access_denied" ? "consent was denied" : message;
  // Who asks later how it went has no page to look at.
  const auto told = mend.empty() ? cause : cause + "; " + mend;
  if (const auto saved =
          store_.set_status(row.id, ConnectionStatus::failed, code, told, wall_clock_());
      !saved)
    log(LogLevel::error, "connection_state_not_saved",
        {{"connection", row.id}, {"error", saved.error().message}});
  const auto recorded = audit_.commit({.event = event,
                                       .outcome = AuditOutcome::failure,
                                       .connection_id = row.id,
                                       .provider = row.provider_name,
                                       .detail = code + ": " + message},
                                      caller);
  if (!recorded) log(LogLevel::error, "audit_failed", {{"error", recorded.error().message}});
  log(LogLevel::warn, "connection_failed",
      {{"connection", row.id},
       {"provider", row.provider_name},
       {"code", code},
       {"error", message}});
  FlowOutcome outcome{.denied = code == "access_denied",
                      .connection_id = row.id,
                      .provider = row.provider_name,
                      .message = cause,
                      .next = connect_again(row),
                      .hint = mend};
  outcome.redirect_to = return_urls_.back_to(
      row.return_url, row.id,
      {{"status", "failed"}, {"provider", row.provider_name}, {"error", code}});
  return outcome;
}

FlowOutcome Flows::refused(const ConnectionRow& row, const std::string& oauth_error,
                           const std::string& message, const Caller& caller) {
  return end(row, AuditEvent::oauth_error, oauth_error, message, "", caller);
}

FlowOutcome Flows::fail(const ConnectionRow& row, const Error& error, const Caller& caller) {
  const auto mend = mend_for(row, error);
  if (error.code == ErrorCode::invalid_state)
    return end(row, AuditEvent::state_verification_failed, "invalid_response", error.message, mend,
               caller);
  const auto* code =
      error.code == ErrorCode::invalid_id_token ? "invalid_id_token" : "token_exchange_failed";
  return end(row, AuditEvent::token_exchange_failed, code, error.message, mend, caller);
}

FlowOutcome Flows::succeed(const ConnectionRow& row) {
  FlowOutcome outcome{.active = true, .connection_id = row.id, .provider = row.provider_name};
  // As it became: with its account, and the alias of the one that it replaced.
  const auto stored = store_.connection(row.id);
  const auto& active = stored && *stored ? **stored : row;
  outcome.account = active.account;
  outcome.next = "nexus token " +
                 (active.alias.empty() ? active.id : active.alias + in_workspace(active.workspace));
  outcome.redirect_to = return_urls_.back_to(
      row.return_url, row.id, {{"status", "success"}, {"provider", row.provider_name}});
  return outcome;
}

Result<void> Flows::check_listener(const std::string& uri) {
  const std::lock_guard lock(listener_mutex_);
  auto opened = listener_.open(uri);
  if (!expecting()) listener_.close();
  return opened;
}

bool Flows::expecting() {
  const auto awaited = store_.awaited_redirect_uris();
  return awaited && !awaited->empty();
}

void Flows::sweep() {
  const auto now = clock_();
  const auto wall_now = wall_clock_();  // failures are dated by it
  const auto expired = store_.expire_flows(now, wall_now, kExpiredAtOnce);
  if (expired)
    for (const auto& id : *expired) log(LogLevel::info, "consent_expired", {{"connection", id}});
  {
    const std::lock_guard lock(listener_mutex_);
    if (!expecting()) listener_.close();
  }
  const auto forgotten = store_.forget_failed(wall_now - kFailureKept, kForgottenAtOnce);
  if (forgotten && *forgotten > 0)
    log(LogLevel::info, "failed_attempts_forgotten", {{"count", std::to_string(*forgotten)}});
  const auto next = store_.next_expiry();
  const auto first_failure = store_.first_failure();
  // A store in trouble is asked again, but not at once.
  if (!expired || !forgotten || !next || !first_failure)
    return due_.expect(Due::What::flow_expiry, now + 5);
  if (*next) due_.expect(Due::What::flow_expiry, **next);
  if (*first_failure)
    due_.expect(Due::What::flow_expiry, **first_failure + kFailureKept + (now - wall_now));
}

Result<void> Flows::resume() {
  sweep();
  NEXUS_TRY(const auto awaited, store_.awaited_redirect_uris());
  for (const auto& redirect_uri : awaited) NEXUS_CHECK(listener_.open(redirect_uri));
  return {};
}

}  // namespace nexus
