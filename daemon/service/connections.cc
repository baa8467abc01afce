// Request, consent and end of a connection: the three share the flow's signed state and the sealed
// fields, so they stand together.
#include "daemon/service/connections.h"

#include <algorithm>

#include "common/id.h"
#include "common/json.h"
#include "common/text.h"
#include "daemon/crypto/encoding.h"
#include "daemon/log.h"
#include "daemon/metrics.h"
#include "daemon/net/url.h"
#include "daemon/oauth/authorization_request.h"
#include "daemon/oauth/token_endpoint.h"
#include "daemon/service/sealed_fields.h"

#include <nlohmann/json.hpp>

namespace nexus {
namespace {

constexpr const char* kVerifier = "code_verifier";
constexpr const char* kNonce = "nonce";

bool contains(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

Result<std::vector<std::string>> scopes_to_ask(const ConnectionRequest& request,
                                               const Provider& provider) {
  auto scopes = request.scopes.empty() ? provider.scopes : request.scopes;
  for (const auto& scope : scopes)
    if (scope.empty() || !is_vschar(scope) || scope.find(' ') != std::string::npos)
      return Error{ErrorCode::invalid_field, "a scope is a text without blanks",
                   "give each scope on its own"};
  if (provider.issuer == "https://accounts.google.com") std::erase(scopes, "offline_access");
  return scopes;
}

Error does_not_belong(const std::string& message) {
  return {ErrorCode::invalid_state, message, "start again: nexus connect PROVIDER"};
}

}  // namespace

Result<void> check_alias(const std::string& alias) {
  constexpr auto allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@-";
  if (alias.empty() || alias.size() > 64 || alias[0] == '-' || alias.starts_with("conn_") ||
      alias.find_first_not_of(allowed) != std::string::npos)
    return Error{ErrorCode::invalid_field, "'" + printable(alias, 80) + "' cannot be an alias",
                 "use letters, digits and . _ @ -, at most 64 of them, and no conn_ in front"};
  return {};
}

UnixTime refresh_margin(const TokenFacts& token) {
  const auto life = token.expires_at.value_or(token.obtained_at) - token.obtained_at;
  return life < 30 * 60 ? life / 5 : 6 * 60;
}

Connections::Connections(Store& store, const Vault& vault, Providers& providers,
                         ProviderDirectory& directory, HttpClient& http, Audit& audit,
                         CallbackListener& listener, ReturnUrls return_urls, Clock clock)
    : store_(store),
      vault_(vault),
      providers_(providers),
      directory_(directory),
      http_(http),
      audit_(audit),
      listener_(listener),
      return_urls_(std::move(return_urls)),
      clock_(std::move(clock)) {}

Result<Provider> Connections::choose_provider(const ConnectionRequest& request) {
  if (request.provider_id.empty()) return providers_.by_name(request.provider_name);
  NEXUS_TRY(auto provider, providers_.by_id(request.provider_id));
  if (!request.provider_name.empty() && lower(request.provider_name) != provider.name)
    return Error{ErrorCode::invalid_field, "provider_name and provider_id name different providers",
                 "give one of them"};
  return provider;
}

std::string Connections::sign_state(const std::string& random, const std::string& connection_id,
                                    const std::string& issuer,
                                    const std::string& redirect_uri) const {
  return base64url(vault_.authenticate_state(random + "\n" + connection_id + "\n" + issuer + "\n" +
                                             redirect_uri));
}

Result<StartedConnection> Connections::request(const ConnectionRequest& request,
                                               const Caller& caller) {
  if (!request.alias.empty()) NEXUS_CHECK(check_alias(request.alias));
  if (!request.return_url.empty()) NEXUS_CHECK(return_urls_.check(request.return_url));
  NEXUS_TRY(const auto chosen, choose_provider(request));
  if (!may_connect(caller, request.workspace, chosen.name))
    return Error{ErrorCode::access_denied,
                 "this API key may not connect " + chosen.name + " in this workspace",
                 "make a key that may: nexus key create --use provider:" + chosen.name};
  NEXUS_TRY(const auto scopes, scopes_to_ask(request, chosen));
  NEXUS_TRY(const auto provider, providers_.with_secret(chosen.id));
  NEXUS_TRY(const auto endpoints, providers_.endpoints(provider));
  if (contains(scopes, "openid") && (endpoints.issuer.empty() || endpoints.jwks.empty()))
    return Error{ErrorCode::provider_misconfigured,
                 "scope openid needs a provider with an issuer that publishes its keys",
                 "register the provider with --issuer, or leave openid out"};

  const auto now = clock_();
  ConnectionRow row;
  row.id = new_connection_id();
  row.workspace = request.workspace;
  row.provider_id = chosen.id;
  row.alias = request.alias;
  row.requested_scopes = join(scopes, " ");
  row.return_url = request.return_url;
  row.replaces = request.replaces;
  row.created_at = now;
  row.pending_until = now + kConsentLife;

  AuthorizationRequest authorization;
  authorization.redirect_uri = providers_.redirect_uri(chosen);
  authorization.scope_parameter = row.requested_scopes;
  const auto random = random_token(32);
  authorization.state =
      random + "." + sign_state(random, row.id, endpoints.issuer, authorization.redirect_uri);
  auto verifier = random_token(32);
  authorization.code_challenge = code_challenge(verifier);
  authorization.extra = authorization_parameters(chosen, scopes);
  const SealedFields sealer(vault_, kConnectionKind, row.id);
  std::vector<SealedField> fields{sealer.seal(kVerifier, verifier)};
  wipe(verifier);
  if (contains(scopes, "openid")) {
    authorization.nonce = random_token(24);
    fields.push_back(sealer.seal(kNonce, authorization.nonce));
  }
  const FlowRow flow{base64url(sha256(authorization.state)), row.id, authorization.redirect_uri,
                     nexus::to_text(to_json(endpoints)), row.pending_until};

  const std::lock_guard lock(listener_mutex_);
  NEXUS_CHECK(listener_.open(authorization.redirect_uri));
  NEXUS_CHECK(audit_.commit(
      {.event = "connection.created", .connection_id = row.id, .provider = chosen.name}, caller));
  NEXUS_CHECK(store_.begin_flow(row, flow, fields));
  metrics::consent_started(contains(scopes, "openid"));
  return StartedConnection{row.id,
                           authorization_url(endpoints, authorization),
                           authorization.state,
                           scopes,
                           chosen.id,
                           row.pending_until};
}

Result<FlowRow> Connections::flow_of(const AuthorizationResponse& response,
                                     const std::string& uri) {
  const Error unknown = does_not_belong("this answer belongs to no connection that is waiting");
  const auto dot = response.state.find('.');
  if (dot == std::string::npos || response.state.size() > 512) return unknown;
  NEXUS_TRY(auto flow, store_.flow(base64url(sha256(response.state))));
  if (!flow || flow->expires_at <= clock_()) return unknown;
  const auto issuer = endpoints_from_json(Json::parse(flow->pinned)).issuer;
  const auto signature =
      sign_state(response.state.substr(0, dot), flow->connection_id, issuer, flow->redirect_uri);
  if (!equal_constant_time(response.state.substr(dot + 1), signature)) return unknown;
  if (flow->redirect_uri != uri)
    return does_not_belong("this answer came to another provider's address");
  return *std::move(flow);
}

Result<CallbackOutcome> Connections::complete(
    const std::string& uri, const std::vector<std::pair<std::string, std::string>>& query,
    const Caller& caller) {
  // Nothing of the answer is looked at before its state has proved that it was asked for.
  auto response = parse_authorization_response(query);
  auto flow = response ? flow_of(*response, uri) : Result<FlowRow>(response.error());
  if (flow) {
    const auto pinned = endpoints_from_json(Json::parse(flow->pinned));
    auto issuer = check_issuer(*response, pinned.issuer, pinned.sends_iss);
    if (!issuer) flow = does_not_belong(issuer.error().message);
    if (issuer && response->error.empty() && response->code.empty())
      flow = does_not_belong("the answer has neither a code nor an error");
  }
  if (!flow) {
    NEXUS_CHECK(audit_.commit({.event = "state_verification_failed",
                               .outcome = "refused",
                               .detail = flow.error().message},
                              caller));
    return std::move(flow).error();
  }
  NEXUS_TRY(const auto first, store_.consume_flow(flow->state_hash));
  if (!first) return does_not_belong("this answer was given before");
  NEXUS_TRY(const auto row, store_.connection(flow->connection_id));
  if (!row || row->status != "pending")
    return does_not_belong("this answer belongs to no connection that is waiting");

  if (!response->error.empty()) {
    const auto text =
        response->error_description.empty() ? response->error : response->error_description;
    return fail(*row, response->error, text, caller);
  }
  const auto endpoints = endpoints_from_json(Json::parse(flow->pinned));
  const auto active = exchange(*row, *flow, endpoints, response->code);
  if (!active) {
    const bool id_token = active.error().message.find("id_token") != std::string::npos;
    return fail(*row, id_token ? "invalid_id_token" : "token_exchange_failed",
                active.error().message, caller);
  }
  NEXUS_CHECK(audit_.commit(
      {.event = "oauth_flow_completed", .connection_id = row->id, .provider = row->provider_name},
      caller));
  CallbackOutcome outcome{.active = true, .connection_id = row->id, .provider = row->provider_name};
  outcome.redirect_to = return_to(*row, {{"status", "success"}, {"provider", row->provider_name}});
  return outcome;
}

Result<ConnectionRow> Connections::exchange(const ConnectionRow& row, const FlowRow& flow,
                                            const ProviderEndpoints& endpoints,
                                            const Secret& code) {
  NEXUS_TRY(const auto provider, providers_.with_secret(row.provider_id));
  NEXUS_TRY(auto stored, store_.fields(row.id));
  const SealedFields fields(vault_, kConnectionKind, row.id, std::move(stored));
  NEXUS_TRY(const auto verifier, fields.open(kVerifier));
  NEXUS_TRY(const auto nonce, fields.open(kNonce));
  const auto sent_at = clock_();
  const metrics::Timer timer;
  auto exchanged =
      exchange_code(endpoints, provider.client_secret, code, verifier, flow.redirect_uri, http_);
  metrics::token_exchanged(exchanged.ok(), timer);
  providers_.note_health(row.provider_id,
                         exchanged ? Result<void>() : Result<void>(exchanged.error()));
  NEXUS_TRY(const auto response, std::move(exchanged));

  auto active = row;
  std::vector<SealedField> sealed{fields.seal("access_token", response.access_token.expose())};
  if (!response.refresh_token.empty())
    sealed.push_back(fields.seal("refresh_token", response.refresh_token.expose()));
  if (!nonce.empty()) {
    if (response.id_token.empty())
      return Error{ErrorCode::provider_protocol, "openid was asked for, but no id_token came",
                   "check the scopes that the client may ask for"};
    IdTokenExpectation expected;
    expected.issuer = endpoints.issuer;
    expected.client_id = endpoints.client_id;
    expected.algorithms = endpoints.id_token_algorithms;
    expected.nonce = std::string(nonce.expose());
    expected.access_token = response.access_token.expose();
    expected.now = clock_();
    NEXUS_TRY(const auto claims,
              directory_.verify(endpoints, response.id_token.expose(), expected));
    metrics::id_token_returned();
    active.issuer = claims.issuer;
    active.subject = claims.subject;
    active.account = claims.account;
    sealed.push_back(fields.seal("id_token", response.id_token.expose()));
  }
  if (!row.replaces.empty()) {
    NEXUS_TRY(const auto old, store_.connection(row.replaces));
    if (old && !old->subject.empty() && !active.subject.empty() && old->subject != active.subject)
      return Error{ErrorCode::provider_rejected,
                   "this is another account than that of the connection to replace",
                   "consent as the same person, or connect without --replace"};
  }
  active.token = {response.token_type, response.scope.value_or(row.requested_scopes), sent_at, {}};
  if (response.expires_in) active.token.expires_at = sent_at + *response.expires_in;
  active.updated_at = clock_();
  active.pinned = flow.pinned;
  NEXUS_TRY(const auto activated, store_.activate(active, sealed));
  if (!activated)
    return Error{ErrorCode::provider_rejected, "the connection was removed meanwhile",
                 "start again: nexus connect PROVIDER"};
  return active;
}

CallbackOutcome Connections::fail(const ConnectionRow& row, const std::string& code,
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
  CallbackOutcome outcome{.denied = code == "access_denied",
                          .connection_id = row.id,
                          .provider = row.provider_name,
                          .message = cause};
  outcome.redirect_to =
      return_to(row, {{"status", "failed"}, {"provider", row.provider_name}, {"error", code}});
  return outcome;
}

/// The address to send the browser back to; "" where there is none or it is not allowed (any more).
std::string Connections::return_to(
    const ConnectionRow& row,
    const std::vector<std::pair<std::string, std::string>>& parameters) const {
  if (row.return_url.empty() || !return_urls_.check(row.return_url)) return {};
  auto all = parameters;
  all.insert(all.begin() + 1, {"connection_id", row.id});
  return with_parameters(row.return_url, all);
}

Result<ConnectionRow> Connections::find(const std::string& reference, const std::string& workspace,
                                        const Caller& caller, Right right) {
  NEXUS_TRY(auto row, find_row(reference, workspace, caller));
  NEXUS_CHECK(require(caller, right, row, reference));
  return row;
}

Result<ConnectionRow> Connections::find_row(const std::string& reference,
                                            const std::string& workspace, const Caller& caller) {
  if (reference.starts_with("conn_")) {
    if (!is_connection_id(reference)) return no_such_connection(reference);
    NEXUS_TRY(auto row, store_.connection(reference));
    if (!row) return no_such_connection(reference);
    return *std::move(row);
  }
  NEXUS_TRY(auto aliased, store_.connection_aliased(workspace, reference));
  if (aliased) return *std::move(aliased);
  NEXUS_TRY(auto candidates, store_.connections_of(workspace, lower(reference)));
  std::erase_if(candidates,
                [&](const ConnectionRow& row) { return !may(caller, Right::read, row); });
  if (candidates.empty()) return no_such_connection(reference);
  // Active ones come first: where there is one, those that need a person do not count.
  if (candidates.front().status == "active")
    std::erase_if(candidates, [](const auto& row) { return row.status != "active"; });
  if (candidates.size() == 1) return std::move(candidates.front());
  constexpr std::size_t kShown = 20;
  std::vector<std::string> names;
  for (const auto& row : candidates)
    if (names.size() < kShown)
      names.push_back(row.id + (row.alias.empty() ? "" : " (" + row.alias + ")"));
  return Error{ErrorCode::connection_ambiguous,
               printable(reference, 80) + " stands for several connections: " + join(names, ", "),
               "name one of them by its id, or give it an alias: nexus alias CONN NAME"};
}

Result<ConnectionRow> Connections::newest(const std::string& provider_name,
                                          const std::string& workspace, const Caller& caller) {
  NEXUS_TRY(auto candidates, store_.connections_of(workspace, lower(provider_name)));
  for (auto& row : candidates)
    if (may(caller, Right::use, row)) return std::move(row);
  return Error{ErrorCode::connection_not_found,
               "the workspace has no connection with " + printable(provider_name, 80),
               "start one with request-connection"};
}

Result<std::vector<ConnectionRow>> Connections::list(const ConnectionFilter& filter,
                                                     const Caller& caller) {
  NEXUS_TRY(auto rows, store_.connections(filter));
  std::erase_if(rows, [&](const ConnectionRow& row) { return !may(caller, Right::read, row); });
  return rows;
}

api::Connection Connections::describe(const ConnectionRow& row) const {
  api::Connection c;
  c.id = row.id;
  c.alias = row.alias;
  c.provider = row.provider_name;
  c.provider_id = row.provider_id;
  c.auth_type = "oauth2";
  c.workspace = row.workspace;
  c.account = row.account;
  c.status = row.status == "revoked" ? "failed" : row.status;
  c.scopes = split(
      row.status == "pending" || row.status == "failed" ? row.requested_scopes : row.token.scopes,
      ' ');
  c.created_at = row.created_at;
  c.updated_at = row.updated_at;
  c.last_refresh_at = row.last_refresh_at;
  c.error_code = row.error_code;
  c.error_message = row.error_message;
  if (row.status == "active") {
    c.expires_at = row.token.expires_at;
    if (c.expires_at) c.next_refresh_at = *c.expires_at - refresh_margin(row.token);
  }
  if (row.status == "pending") {
    c.expires_at = row.pending_until;
    if (row.pending_until <= clock_()) {
      c.status = "failed";
      c.error_code = "expired";
      c.error_message = "nobody gave consent in time";
    }
  }
  if (row.status == "revoked") {
    c.error_code = "revoked";
    c.error_message = "it was disconnected";
  }
  return c;
}

Result<void> Connections::set_alias(const ConnectionRow& row, const std::string& alias,
                                    const Caller& caller) {
  NEXUS_CHECK(check_alias(alias));
  if (row.status == "revoked" || row.status == "failed") return no_such_connection(row.id);
  NEXUS_CHECK(store_.set_alias(row.id, alias, clock_()));
  return audit_.commit({.event = "connection.updated",
                        .connection_id = row.id,
                        .provider = row.provider_name,
                        .detail = "alias"},
                       caller);
}

RevocationReport Connections::revoke_at_provider(const ConnectionRow& row) {
  RevocationReport report;
  const auto provider = providers_.with_secret(row.provider_id);
  const auto pinned = store_.pinned_endpoints(row.id);
  auto stored = store_.fields(row.id);
  if (!provider || !pinned || pinned->empty() || !stored) {
    report.provider_error = "there is nothing to revoke";
    return report;
  }
  const auto endpoints = endpoints_from_json(Json::parse(*pinned));
  if (endpoints.revocation.empty()) {
    report.provider_error = "the provider has no revocation endpoint";
    return report;
  }
  const SealedFields fields(vault_, kConnectionKind, row.id, *std::move(stored));
  // RFC 7009 2.1: the refresh token first, it ends the grant; then the access token.
  for (const char* name : {"refresh_token", "access_token"}) {
    const auto token = fields.open(name);
    if (!token || token->empty()) continue;
    const auto answer = revoke_token(endpoints, provider->client_secret, *token, name, http_);
    report.provider_revoked = report.provider_revoked || answer.revoked;
    if (!answer.revoked && report.provider_error.empty()) report.provider_error = answer.error;
  }
  return report;
}

Result<RevocationReport> Connections::revoke(const ConnectionRow& row, bool keep_grant,
                                             const std::string& reason, const Caller& caller) {
  if (row.status == "revoked") {
    NEXUS_TRY(const auto outcome, store_.revocation_outcome(row.id));
    const auto recorded = Json::parse(outcome, nullptr, false);
    RevocationReport report{row.id, row.provider_name, row.updated_at, true, false, {}};
    if (recorded.is_object()) {
      report.provider_revoked = recorded.value("provider_revoked", false);
      report.provider_error = recorded.value("provider_error", "");
    }
    return report;
  }
  RevocationReport report;
  if (keep_grant) {
    report.provider_error = "the grant was kept as asked";
  } else if (row.status == "active" || row.status == "attention_required") {
    report = revoke_at_provider(row);
  }
  report.connection_id = row.id;
  report.provider = row.provider_name;
  report.revoked_at = clock_();
  const auto outcome = nexus::to_text(Json{{"provider_revoked", report.provider_revoked},
                                           {"provider_error", report.provider_error}});
  NEXUS_CHECK(store_.revoke(row.id, outcome, report.revoked_at));
  NEXUS_CHECK(audit_.commit(
      {.event = "connection.revoked",
       .connection_id = row.id,
       .provider = row.provider_name,
       .detail = (report.provider_revoked ? "also at the provider" : report.provider_error) +
                 (reason.empty() ? "" : "; reason: " + printable(reason, 200))},
      caller));
  return report;
}

bool Connections::expecting() {
  const auto awaited = store_.awaited_redirect_uris();
  return awaited && !awaited->empty();
}

void Connections::sweep() {
  const auto expired = store_.expire_flows(clock_());
  if (expired)
    for (const auto& id : *expired) log(LogLevel::info, "consent_expired", {{"connection", id}});
  const std::lock_guard lock(listener_mutex_);
  if (!expecting()) listener_.close();
}

Result<void> Connections::resume() {
  sweep();
  NEXUS_TRY(const auto awaited, store_.awaited_redirect_uris());
  for (const auto& redirect_uri : awaited) NEXUS_CHECK(listener_.open(redirect_uri));
  return {};
}

}  // namespace nexus
