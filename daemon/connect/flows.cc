#include "daemon/connect/flows.h"

#include <nlohmann/json.hpp>

#include "common/json.h"
#include "daemon/crypto/encoding.h"
#include "daemon/log.h"
#include "daemon/net/url.h"

namespace nexus {

Flows::Flows(Store& store, const Vault& vault, Audit& audit, CallbackListener& listener,
             ReturnUrls return_urls, Clock clock)
    : store_(store),
      vault_(vault),
      audit_(audit),
      listener_(listener),
      return_urls_(std::move(return_urls)),
      clock_(std::move(clock)) {}

Error Flows::does_not_belong(const std::string& message) {
  return {ErrorCode::invalid_state, message, "start again: nexus connect PROVIDER"};
}

std::string Flows::sign(const std::string& random, const std::string& connection_id,
                        const std::string& issuer, const std::string& uri) const {
  return base64url(
      vault_.authenticate_state(random + "\n" + connection_id + "\n" + issuer + "\n" + uri));
}

std::string Flows::new_state(const std::string& connection_id, const std::string& issuer,
                             const std::string& uri) const {
  const auto random = random_token(32);
  return random + "." + sign(random, connection_id, issuer, uri);
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

Result<void> Flows::begin(const ConnectionRow& row, const std::string& state,
                          const std::string& uri, const std::string& pinned,
                          const std::vector<SealedField>& fields, bool pasted,
                          const Caller& caller) {
  const FlowRow flow{base64url(sha256(state)), row.id, uri, pinned, row.pending_until, pasted};
  const std::lock_guard lock(listener_mutex_);
  if (!pasted) NEXUS_CHECK(listener_.open(uri));
  NEXUS_CHECK(audit_.commit(
      {.event = "connection.created", .connection_id = row.id, .provider = row.provider_name},
      caller));
  return store_.begin_flow(row, flow, fields);
}

Result<FlowRow> Flows::find(const std::string& state, const std::string& uri) {
  const Error unknown = does_not_belong("this answer belongs to no connection that is waiting");
  const auto dot = state.find('.');
  if (dot == std::string::npos || state.size() > 512) return unknown;
  NEXUS_TRY(auto flow, store_.flow(base64url(sha256(state))));
  if (!flow || flow->expires_at <= clock_()) return unknown;
  const auto issuer = Json::parse(flow->pinned).at("issuer").get<std::string>();
  const auto signature =
      sign(state.substr(0, dot), flow->connection_id, issuer, flow->redirect_uri);
  if (!equal_constant_time(state.substr(dot + 1), signature)) return unknown;
  if (flow->redirect_uri != uri)
    return does_not_belong("this answer came to another provider's address");
  return *std::move(flow);
}

Result<ConnectionRow> Flows::take(const FlowRow& flow) {
  NEXUS_TRY(const auto first, store_.consume_flow(flow.state_hash));
  if (!first) return does_not_belong("this answer was given before");
  NEXUS_TRY(auto row, store_.connection(flow.connection_id));
  if (!row || row->status != "pending")
    return does_not_belong("this answer belongs to no connection that is waiting");
  return *std::move(row);
}

FlowOutcome Flows::fail(const ConnectionRow& row, const std::string& code,
                        const std::string& message, const Caller& caller) {
  const auto cause = code == "access_denied" ? "consent was denied" : message;
  if (const auto saved = store_.set_status(row.id, "failed", code, cause, clock_()); !saved)
    log(LogLevel::error, "connection_state_not_saved",
        {{"connection", row.id}, {"error", saved.error().message}});
  const bool by_provider = code != "token_exchange_failed" && code != "invalid_id_token";
  const auto recorded =
      audit_.commit({.event = by_provider ? "oauth_error" : "token_exchange_failed",
                     .outcome = "failure",
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
                      .message = cause};
  outcome.redirect_to =
      return_to(row, {{"status", "failed"}, {"provider", row.provider_name}, {"error", code}});
  return outcome;
}

FlowOutcome Flows::fail(const ConnectionRow& row, const Error& error, const Caller& caller) {
  const bool id_token = error.message.find("id_token") != std::string::npos;
  return fail(row, id_token ? "invalid_id_token" : "token_exchange_failed", error.message, caller);
}

FlowOutcome Flows::succeed(const ConnectionRow& row) {
  FlowOutcome outcome{.active = true, .connection_id = row.id, .provider = row.provider_name};
  outcome.redirect_to = return_to(row, {{"status", "success"}, {"provider", row.provider_name}});
  return outcome;
}

/// The address to send the browser back to; "" where there is none or it is not allowed (any more).
std::string Flows::return_to(
    const ConnectionRow& row,
    const std::vector<std::pair<std::string, std::string>>& parameters) const {
  if (row.return_url.empty() || !return_urls_.check(row.return_url)) return {};
  auto all = parameters;
  all.insert(all.begin() + 1, {"connection_id", row.id});
  return with_parameters(row.return_url, all);
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
  const auto expired = store_.expire_flows(clock_());
  if (expired)
    for (const auto& id : *expired) log(LogLevel::info, "consent_expired", {{"connection", id}});
  const std::lock_guard lock(listener_mutex_);
  if (!expecting()) listener_.close();
}

Result<void> Flows::resume() {
  sweep();
  NEXUS_TRY(const auto awaited, store_.awaited_redirect_uris());
  for (const auto& redirect_uri : awaited) NEXUS_CHECK(listener_.open(redirect_uri));
  return {};
}

}  // namespace nexus
