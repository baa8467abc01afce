#include "daemon/connect/authorization_code_flow.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/json.h"
#include "common/text.h"
#include "daemon/crypto/encoding.h"
#include "daemon/log.h"
#include "daemon/metrics.h"
#include "daemon/oauth/authorization_request.h"
#include "daemon/oauth/authorization_response.h"
#include "daemon/oauth/token_endpoint.h"
#include "daemon/vault/sealed_fields.h"

namespace nexus {
AuthorizationCodeFlow::AuthorizationCodeFlow(Store& store, const Vault& vault, Providers& providers,
                                             Activation& activation, HttpClient& http, Audit& audit,
                                             Flows& flows, Clock clock)
    : store_(store),
      vault_(vault),
      providers_(providers),
      activation_(activation),
      http_(http),
      audit_(audit),
      flows_(flows),
      clock_(std::move(clock)) {}

Result<StartedFlow> AuthorizationCodeFlow::begin(
    const ConnectionRow& row, const Provider& provider,
    const std::vector<std::pair<std::string, std::string>>& extra, bool pasted,
    const Caller& caller) {
  NEXUS_TRY(const auto with_secret, providers_.with_secret(provider.id));
  NEXUS_TRY(const auto endpoints, providers_.endpoints(with_secret));
  const auto scopes = split(row.requested_scopes, ' ');
  const bool openid = std::find(scopes.begin(), scopes.end(), "openid") != scopes.end();
  if (openid && (endpoints.issuer.empty() || endpoints.jwks.empty()))
    return Error{ErrorCode::provider_misconfigured,
                 "scope openid needs a provider with an issuer that publishes its keys",
                 "register the provider with --issuer, or leave openid out"};
  AuthorizationRequest request;
  NEXUS_TRY(request.redirect_uri, redirect_uri_for(provider, pasted));
  request.scopes = scopes;
  request.state = flows_.new_state(row.id, endpoints.issuer, request.redirect_uri);
  // Those of the request go first: of two with one name the first counts.
  request.extra = extra;
  for (auto& parameter : authorization_parameters(provider, scopes))
    request.extra.push_back(std::move(parameter));
  const SealedFields sealer(vault_, kConnectionKind, row.id);
  std::vector<SealedField> fields;
  if (endpoints.dialect.pkce) {
    auto verifier = random_token(32);
    request.code_challenge = code_challenge(verifier);
    fields.push_back(sealer.seal("code_verifier", verifier));
    wipe(verifier);
  }
  if (openid) {
    request.nonce = random_token(24);
    fields.push_back(sealer.seal("nonce", request.nonce));
  }
  NEXUS_CHECK(flows_.begin(row, request.state, request.redirect_uri,
                           nexus::to_text(to_json(endpoints)), fields, pasted, caller));
  metrics::consent_started(openid);
  return StartedFlow{authorization_url(endpoints, request), request.state};
}

Result<FlowOutcome> AuthorizationCodeFlow::complete(
    const std::string& uri, const std::vector<std::pair<std::string, std::string>>& query,
    const Caller& caller) {
  // Nothing of the answer is looked at before its state has proved that it was asked for.
  auto response = parse_authorization_response(query);
  auto flow = response ? flows_.find(response->state, uri) : Result<FlowRow>(response.error());
  if (flow) {
    const auto pinned = endpoints_from_json(Json::parse(flow->pinned));
    auto issuer = check_issuer(*response, pinned.issuer, pinned.sends_iss);
    if (!issuer) flow = Flows::does_not_belong(issuer.error().message);
    if (issuer && response->error.empty() && response->code.empty())
      flow = Flows::does_not_belong("the answer has neither a code nor an error");
  }
  if (!flow) {
    NEXUS_CHECK(audit_.commit({.event = "state_verification_failed",
                               .outcome = "refused",
                               .detail = flow.error().message},
                              caller));
    return std::move(flow).error();
  }
  NEXUS_TRY(const auto row, flows_.take(*flow));

  if (!response->error.empty()) {
    const auto text =
        response->error_description.empty() ? response->error : response->error_description;
    return flows_.fail(row, response->error, text, caller);
  }
  const auto active = exchange(row, *flow, response->code);
  if (!active) return flows_.fail(row, active.error(), caller);
  NEXUS_CHECK(audit_.commit(
      {.event = "oauth_flow_completed", .connection_id = row.id, .provider = row.provider_name},
      caller));
  return flows_.succeed(row);
}

Result<std::string> AuthorizationCodeFlow::redirect_uri_for(const Provider& provider, bool pasted) {
  const auto uri = providers_.redirect_uri(provider);
  if (pasted) return uri;
  auto listened = flows_.listen(uri, provider.params.value("any_loopback_port", false));
  if (listened) return listened;
  auto& error = listened.error();
  error.hint += "; or bring the answer by hand: nexus connect " + provider.name + " --paste";
  return error;
}

Result<void> AuthorizationCodeFlow::exchange(const ConnectionRow& row, const FlowRow& flow,
                                             const Secret& code) {
  NEXUS_TRY(const auto provider, providers_.with_secret(row.provider_id));
  NEXUS_TRY(const auto endpoints,
            pinned_endpoints(flow.pinned, provider.provider, !provider.client_secret.empty()));
  NEXUS_TRY(auto stored, store_.fields(row.id));
  const SealedFields fields(vault_, kConnectionKind, row.id, std::move(stored));
  NEXUS_TRY(const auto verifier, fields.open("code_verifier"));
  NEXUS_TRY(const auto nonce, fields.open("nonce"));
  const auto sent_at = clock_();
  const metrics::Timer timer;
  auto exchanged =
      exchange_code(endpoints, provider.client_secret, code, verifier, flow.redirect_uri, http_);
  metrics::token_exchanged(exchanged.ok(), timer);
  providers_.note_health(row.provider_id,
                         exchanged ? Result<void>() : Result<void>(exchanged.error()));
  NEXUS_TRY(const auto response, std::move(exchanged));
  return activation_.activate(row, provider.provider, endpoints,
                              {response, sent_at, nonce, !nonce.empty(), flow.pinned});
}

}  // namespace nexus
