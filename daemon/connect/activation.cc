#include "daemon/connect/activation.h"

#include "common/text.h"
#include "daemon/log.h"
#include "daemon/metrics.h"
#include "daemon/token/refresh_policy.h"
#include "daemon/vault/sealed_fields.h"

namespace nexus {
namespace {

Error removed_meanwhile() {
  return {ErrorCode::provider_rejected, "the connection was removed meanwhile",
          "start again: nexus connect PROVIDER"};
}

}  // namespace

Activation::Activation(Store& store, const Vault& vault, ConnectionPermits& permits,
                       MetadataCache& metadata, Due& due, Clock clock, Clock wall_clock)
    : store_(store),
      vault_(vault),
      permits_(permits),
      metadata_(metadata),
      due_(due),
      clock_(std::move(clock)),
      wall_clock_(std::move(wall_clock)) {}

Result<void> Activation::learn_account(ConnectionRow& active, const ProviderClient& ours,
                                       const Secret& access_token) {
  const auto& [provider, client] = ours;
  if (is_unattended(client.grant())) {
    // No person: the client itself, or whom it says that it asks for.
    const auto& subject = client.dialect().assertion_subject;
    active.account = subject.empty() ? client.endpoints().client_id : subject;
    return {};
  }
  if (client.endpoints().userinfo.empty() || !active.account.empty() || access_token.empty())
    return {};
  const auto told = client.userinfo(access_token, provider.settings.request_headers);
  if (!told) {
    // A name for people is not worth failing a good connection.
    log(LogLevel::info, "account_not_told",
        {{"connection", active.id}, {"error", told.error().message}});
    return {};
  }
  if (!active.subject.empty() && told->subject != active.subject)
    return Error{ErrorCode::invalid_id_token,
                 "the userinfo endpoint tells of another person than the id_token does",
                 "check the provider's user_info_endpoint"};
  active.account = told->account;
  return {};
}

/// Who replaces a connection has to be the same person.
Result<void> Activation::check_replaced(const ConnectionRow& active) {
  if (active.replaces.empty()) return {};
  NEXUS_TRY(const auto old, store_.connection(active.replaces));
  if (!old || old->subject.empty() || active.subject.empty() || old->subject == active.subject)
    return {};
  return Error{ErrorCode::provider_rejected,
               "this is another account than that of the connection to replace",
               "consent as the same person, or connect without --replace"};
}

Result<ConnectionRow> Activation::activate(const ConnectionRow& row, const ProviderClient& ours,
                                           const FirstTokens& tokens) {
  const auto& [response, sent_at, nonce, needs_id_token] = tokens;
  const auto& endpoints = ours.client.endpoints();
  auto active = row;
  const SealedFields fields(vault_, kConnectionKind, row.id);
  std::vector<SealedField> sealed{
      fields.seal(SecretField::access_token, response.access_token.expose())};
  if (!response.refresh_token.empty())
    sealed.push_back(fields.seal(SecretField::refresh_token, response.refresh_token.expose()));
  if (needs_id_token && response.id_token.empty())
    return Error{ErrorCode::invalid_id_token, "openid was asked for, but no id_token came",
                 "check the scopes that the client may ask for"};
  // An adopted grant was consented to elsewhere, with a nonce that only its first id_token names.
  if (row.asked_for_openid() && !response.id_token.empty()) {
    IdTokenExpectation expected;
    if (!nonce.empty()) expected.nonce = std::string(nonce.expose());
    NEXUS_TRY(const auto claims, metadata_.verify(endpoints, response, std::move(expected)));
    metrics::id_token_returned();
    active.issuer = claims.issuer;
    active.subject = claims.subject;
    active.account = claims.account;
    sealed.push_back(fields.seal(SecretField::id_token, response.id_token.expose()));
  }
  NEXUS_CHECK(learn_account(active, ours, response.access_token));
  if (active.account.empty()) active.account = printable(active.subject, 200);
  NEXUS_CHECK(check_replaced(active));
  active.status = ConnectionStatus::active;
  active.token = {response.token_type,
                  response.scope.value_or(row.requested_scopes),
                  sent_at,
                  {},
                  response.token_fields};
  if (response.expires_in) active.token.expires_at = sent_at + *response.expires_in;
  if (!response.refresh_token.empty() || is_unattended(ours.client.grant()))
    active.refresh_at = background_refresh_at(active.token, chance());
  active.updated_at = wall_clock_();
  active.last_used_at = clock_();
  NEXUS_TRY(const auto activated, store_.activate(active, to_text(endpoints), sealed));
  if (!activated) return removed_meanwhile();
  if (!active.replaces.empty()) permits_.review(active.replaces);
  if (active.refresh_at) due_.expect(Due::What::refresh, *active.refresh_at);
  return active;
}

Result<void> Activation::activate_static(const ConnectionRow& row, const SecretText& credentials,
                                         const std::string& account) {
  auto active = row;
  active.account = account;
  active.updated_at = wall_clock_();
  active.token.obtained_at = clock_();
  const SealedFields sealer(vault_, kConnectionKind, active.id);
  NEXUS_TRY(const auto activated,
            store_.activate(active, "", {sealer.seal(SecretField::credentials, credentials)}));
  if (!activated) return removed_meanwhile();
  if (!active.replaces.empty()) permits_.review(active.replaces);
  return {};
}

}  // namespace nexus
