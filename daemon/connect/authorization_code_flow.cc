#include "daemon/connect/authorization_code_flow.h"

#include <algorithm>

#include "common/text.h"
#include "daemon/connection_errors.h"
#include "daemon/crypto/encoding.h"
#include "daemon/metrics.h"
#include "daemon/oauth/authorization_request.h"
#include "daemon/oauth/authorization_response.h"
#include "daemon/oauth/error_words.h"

namespace nexus {
namespace {

/// What a flow's browser brought. Error: invalid_state.
Result<AuthorizationResponse> read_answer(
    const FlowRow& flow, const std::vector<std::pair<std::string, std::string>>& query) {
  NEXUS_TRY(auto response, parse_authorization_response(query));
  NEXUS_TRY(const auto pinned, endpoints_from_text(flow.pinned));
  if (auto issuer = check_issuer(response, pinned.issuer, pinned.sends_iss); !issuer) {
    issuer.error().code = ErrorCode::invalid_state;
    return std::move(issuer).error();
  }
  if (response.error.empty() && response.code.empty())
    return Flows::does_not_belong("the answer has neither a code nor an error");
  return response;
}

}  // namespace

AuthorizationCodeFlow::AuthorizationCodeFlow(Providers& providers, RedirectUris redirect_uris,
                                             Activation& activation, Flows& flows, Audit& audit,
                                             Clock clock)
    : providers_(providers),
      redirect_uris_(std::move(redirect_uris)),
      activation_(activation),
      flows_(flows),
      audit_(audit),
      clock_(std::move(clock)) {}

Result<StartedFlow> AuthorizationCodeFlow::begin(
    ConnectionRow& row, const std::vector<std::pair<std::string, std::string>>& extra, bool pasted,
    const Caller& caller) {
  NEXUS_TRY(const auto ours, providers_.client(row.provider_id));
  const auto& [provider, client] = ours;
  const auto& endpoints = client.endpoints();
  const bool openid = row.asked_for_openid();
  if (openid && (endpoints.issuer.empty() || endpoints.jwks.empty()))
    return Error{ErrorCode::provider_misconfigured,
                 "scope openid needs a provider with an issuer that publishes its keys",
                 "register the provider with --issuer, or leave openid out"};
  AuthorizationRequest request;
  const bool device = !endpoints.device_authorization.empty();
  NEXUS_TRY(request.redirect_uri, redirect_uri_for(row, provider, pasted, device));
  request.scopes = split(row.requested_scopes, ' ');
  request.state = flows_.new_state(row.id, endpoints.issuer, request.redirect_uri);
  // Those of the request go first: of two with one name the first counts.
  request.extra = extra;
  for (auto& parameter : authorization_parameters(provider, request.scopes))
    request.extra.push_back(std::move(parameter));
  NewFlow flow{.kind = FlowKind::code,
               .state = request.state,
               .redirect_uri = request.redirect_uri,
               .awaited = !pasted,
               .issuer = endpoints.issuer,
               .pinned = to_text(endpoints)};
  if (client.dialect().pkce == Dialect::Pkce::s256) {
    auto verifier = random_token(32);
    request.code_challenge = code_challenge(verifier);
    flow.secrets.emplace_back(SecretField::code_verifier, Secret(verifier));
    wipe(verifier);
  }
  if (openid) {
    request.nonce = random_token(24);
    flow.secrets.emplace_back(SecretField::nonce, Secret(request.nonce));
  }
  NEXUS_CHECK(flows_.begin(row, std::move(flow), caller));
  metrics::consent_started(openid);
  return StartedFlow{authorization_url(endpoints, client.dialect(), request), request.state,
                     request.redirect_uri, device};
}

Result<FlowOutcome> AuthorizationCodeFlow::complete(
    const std::string& uri, const std::vector<std::pair<std::string, std::string>>& query,
    const Caller& caller) {
  // Nothing of the answer is looked at before its state has proved that it was asked for.
  const auto flow = asked_for(uri, query);
  const auto response =
      flow ? read_answer(*flow, query) : Result<AuthorizationResponse>(flow.error());
  // Whoever knew the state is the flow's browser: no better answer will come. What is brought by
  // hand may be copied better the next time.
  const bool ends_flow = flow && !response && flow->awaited;
  if (!response && !ends_flow) {
    NEXUS_CHECK(flows_.turn_away(response.error(), caller));
    const auto waiting = flow ? flows_.pending(*flow) : Result<PendingConnection>(flow.error());
    return waiting ? about(waiting->row, response.error()) : response.error();
  }
  NEXUS_TRY(const auto pending, flows_.take(*flow));
  const auto& row = pending.row;

  if (ends_flow) return flows_.fail(row, response.error(), caller);
  if (!response->error.empty()) {
    const auto& said = response->error_description;
    return flows_.refused(row, response->error,
                          said.empty() ? oauth::in_plain_words(response->error) : said, caller);
  }
  const auto active = exchange(pending, *flow, response->code);
  if (!active) return flows_.fail(row, active.error(), caller);
  NEXUS_CHECK(audit_.commit({.event = AuditEvent::oauth_flow_completed,
                             .connection_id = row.id,
                             .provider = row.provider_name},
                            caller));
  return flows_.succeed(row);
}

Result<FlowRow> AuthorizationCodeFlow::asked_for(
    const std::string& uri, const std::vector<std::pair<std::string, std::string>>& query) {
  NEXUS_TRY(auto flow, flows_.find(state_in(query), uri));
  if (flow.kind != FlowKind::code)
    return Flows::does_not_belong("this answer belongs to no connection that is waiting");
  return flow;
}

Result<std::string> AuthorizationCodeFlow::redirect_uri_for(const ConnectionRow& row,
                                                            const Provider& provider, bool pasted,
                                                            bool device) {
  const auto uri = redirect_uris_.of(provider);
  if (pasted) return uri;
  auto listened = flows_.listen(uri, provider.settings.any_loopback_port);
  if (listened) return listened;
  auto& error = listened.error();
  error.hint += "; or bring the answer by hand: " + connect_again(row) + " --paste";
  if (device) error.hint += ", or consent on another device: --device instead";
  error.device_supported = device;
  return error;
}

Result<void> AuthorizationCodeFlow::exchange(const PendingConnection& pending, const FlowRow& flow,
                                             const Secret& code) {
  const auto& [row, secrets] = pending;
  NEXUS_TRY(const auto ours, providers_.client_for(row.provider_id, flow.pinned));
  NEXUS_TRY(const auto verifier, secrets.open(SecretField::code_verifier));
  NEXUS_TRY(const auto nonce, secrets.open(SecretField::nonce));
  const auto sent_at = clock_();
  const metrics::Timer timer;
  auto exchanged = ours.client.exchange({code, verifier, flow.redirect_uri});
  metrics::token_exchanged(exchanged.ok(), timer);
  providers_.note_health(row.provider_id,
                         exchanged ? Result<void>() : Result<void>(exchanged.error()));
  NEXUS_TRY(const auto response, std::move(exchanged));
  NEXUS_CHECK(activation_.activate(row, ours, {response, sent_at, nonce, !nonce.empty()}));
  return {};
}

}  // namespace nexus
