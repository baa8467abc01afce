#include "daemon/connect/unattended_grants.h"

#include "daemon/connection_errors.h"
#include "daemon/log.h"

namespace nexus {
namespace {

/// F2: the token that was brought is used up, and this one all that is left of the grant. A fetch
/// finds no life in what came, refreshes, and says what is wrong until that is mended.
TokenResponse without_access_token(oauth::OnlyRefreshToken rotated) {
  log(LogLevel::warn, "adopted_without_access_token", {{"error", rotated.error.message}});
  TokenResponse response;
  response.refresh_token = std::move(rotated.refresh_token);
  response.expires_in = 0;
  return response;
}

}  // namespace

UnattendedGrants::UnattendedGrants(Providers& providers, Activation& activation, Flows& flows,
                                   Audit& audit, Clock clock)
    : providers_(providers),
      activation_(activation),
      flows_(flows),
      audit_(audit),
      clock_(std::move(clock)) {}

Result<ConnectionRow> UnattendedGrants::make(ConnectionRow row, AuditEvent event,
                                             const Caller& caller, const Obtain& obtain) {
  NEXUS_TRY(const auto ours, providers_.client(row.provider_id));
  // Should this end halfway, it expires as others do.
  NEXUS_CHECK(flows_.begin(
      row, {.kind = FlowKind::unattended, .pinned = to_text(ours.client.endpoints())}, caller));
  auto made = [&]() -> Result<ConnectionRow> {
    const auto sent_at = clock_();
    NEXUS_TRY(const auto response, obtain(ours.client));
    return activation_.activate(row, ours, {response, sent_at, Secret(), false});
  }();
  if (!made) {
    flows_.fail(row, made.error(), caller);
    return about(row, made.error());
  }
  NEXUS_CHECK(audit_.commit(
      {.event = event, .connection_id = row.id, .provider = row.provider_name}, caller));
  return made;
}

Result<ConnectionRow> UnattendedGrants::obtain(ConnectionRow row, const Caller& caller) {
  const auto scopes = row.requested_scopes;
  return make(std::move(row), AuditEvent::client_grant_used, caller,
              [&](const oauth::Client& client) { return client.as_client(scopes); });
}

Result<ConnectionRow> UnattendedGrants::adopt(ConnectionRow row, const Secret& token,
                                              const Caller& caller) {
  const auto provider = row.provider_name;
  return make(std::move(row), AuditEvent::grant_adopted, caller,
              [&](const oauth::Client& client) -> Result<TokenResponse> {
                NEXUS_TRY(auto answer, client.refresh(token));
                if (const auto* over = std::get_if<oauth::GrantOver>(&answer))
                  return Error{
                      ErrorCode::provider_rejected,
                      provider + " does not take this refresh token (" + over->reason + ")",
                      "check that it was issued to this client; or consent anew: nexus "
                      "connect " +
                          provider};
                if (auto* rotated = std::get_if<oauth::OnlyRefreshToken>(&answer))
                  return without_access_token(std::move(*rotated));
                auto& response = std::get<TokenResponse>(answer);
                if (response.refresh_token.empty()) response.refresh_token = token.copy();
                return std::move(response);
              });
}

}  // namespace nexus
