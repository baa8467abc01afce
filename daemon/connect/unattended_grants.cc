#include "daemon/connect/unattended_grants.h"

#include <nlohmann/json.hpp>

#include "common/json.h"
#include "daemon/oauth/token_endpoint.h"

namespace nexus {

UnattendedGrants::UnattendedGrants(Providers& providers, Activation& activation, HttpClient& http,
                                   Audit& audit, Flows& flows, Clock clock)
    : providers_(providers),
      activation_(activation),
      http_(http),
      audit_(audit),
      flows_(flows),
      clock_(std::move(clock)) {}

Result<void> UnattendedGrants::make(const ConnectionRow& row, const Provider& provider,
                                    const char* event, const Caller& caller, const Obtain& obtain) {
  NEXUS_TRY(const auto with_secret, providers_.with_secret(provider.id));
  NEXUS_TRY(const auto endpoints, providers_.endpoints(with_secret));
  const auto uri = providers_.redirect_uri(provider);
  const auto state = flows_.new_state(row.id, endpoints.issuer, uri);
  const auto pinned = nexus::to_text(to_json(endpoints));
  // A flow that nobody else knows of: should this end halfway, it expires as others do.
  NEXUS_CHECK(flows_.begin(row, state, uri, pinned, {}, true, caller));
  NEXUS_TRY(const auto flow, flows_.find(state, uri));
  NEXUS_TRY(const auto pending, flows_.take(flow));
  const auto made = [&]() -> Result<void> {
    const auto sent_at = clock_();
    NEXUS_TRY(const auto response, obtain(with_secret, endpoints));
    return activation_.activate(pending, provider, endpoints,
                                {response, sent_at, Secret(), false, pinned});
  }();
  if (!made) {
    flows_.fail(pending, made.error(), caller);
    return made;
  }
  return audit_.commit({.event = event, .connection_id = row.id, .provider = row.provider_name},
                       caller);
}

Result<void> UnattendedGrants::obtain(const ConnectionRow& row, const Provider& provider,
                                      const Caller& caller) {
  return make(row, provider, "client_grant_used", caller,
              [&](const ProviderWithSecret& with_secret, const ProviderEndpoints& endpoints) {
                return client_token(endpoints, with_secret.client_secret, row.requested_scopes,
                                    http_);
              });
}

Result<void> UnattendedGrants::adopt(const ConnectionRow& row, const Provider& provider,
                                     const Secret& token, const Caller& caller) {
  auto adopted = make(
      row, provider, "grant_adopted", caller,
      [&](const ProviderWithSecret& with_secret,
          const ProviderEndpoints& endpoints) -> Result<TokenResponse> {
        NEXUS_TRY(auto response, refresh_token(endpoints, with_secret.client_secret, token, http_));
        if (response.refresh_token.empty()) response.refresh_token = token.copy();
        return response;
      });
  if (adopted || adopted.error().code != ErrorCode::attention_required) return adopted;
  return Error{
      ErrorCode::provider_rejected,
      provider.name + " does not take this refresh token (" + adopted.error().message + ")",
      "check that it was issued to this client; or consent anew: nexus connect " + provider.name};
}

}  // namespace nexus
