#include "daemon/connect/activation.h"

#include <nlohmann/json.hpp>

#include "common/json_fields.h"
#include "daemon/log.h"
#include "daemon/metrics.h"
#include "daemon/oauth/userinfo.h"
#include "daemon/token/refresh_policy.h"
#include "daemon/token/refresher.h"
#include "daemon/vault/sealed_fields.h"

namespace nexus {

Activation::Activation(Store& store, const Vault& vault, MetadataCache& metadata, HttpClient& http,
                       Clock clock)
    : store_(store), vault_(vault), metadata_(metadata), http_(http), clock_(std::move(clock)) {}

Result<void> Activation::learn_account(ConnectionRow& active, const Provider& provider,
                                       const ProviderEndpoints& endpoints,
                                       const Secret& access_token) {
  if (is_unattended(endpoints.grant)) {
    // No person: the client itself, or whom it says that it asks for.
    const auto& subject = endpoints.dialect.assertion_subject;
    active.account = subject.empty() ? endpoints.client_id : subject;
    return {};
  }
  if (endpoints.userinfo.empty() || !active.account.empty()) return {};
  std::map<std::string, std::string> headers;
  NEXUS_CHECK(JsonFields(provider.params, "params.").map("request_headers", headers));
  const auto told = fetch_userinfo(endpoints, access_token, headers, http_);
  if (!told) {
    // A name for people is not worth failing a good connection.
    log(LogLevel::info, "account_not_told",
        {{"connection", active.id}, {"error", told.error().message}});
    return {};
  }
  if (!active.subject.empty() && told->subject != active.subject)
    return Error{ErrorCode::provider_protocol,
                 "the userinfo endpoint tells of another person than the id_token does",
                 "check the provider's user_info_endpoint"};
  active.account = told->account;
  return {};
}

Result<void> Activation::activate(const ConnectionRow& row, const Provider& provider,
                                  const ProviderEndpoints& endpoints, const FirstTokens& tokens) {
  auto active = row;
  const SealedFields fields(vault_, kConnectionKind, row.id);
  std::vector<SealedField> sealed{
      fields.seal("access_token", tokens.response.access_token.expose())};
  if (!tokens.response.refresh_token.empty())
    sealed.push_back(fields.seal("refresh_token", tokens.response.refresh_token.expose()));
  if (tokens.needs_id_token && tokens.response.id_token.empty())
    return Error{ErrorCode::provider_protocol, "openid was asked for, but no id_token came",
                 "check the scopes that the client may ask for"};
  // An adopted grant was consented to elsewhere, with a nonce that only its first id_token names.
  const bool openid = asked_for_openid(row);
  if (openid && !tokens.response.id_token.empty()) {
    IdTokenExpectation expected;
    expected.issuer = endpoints.issuer;
    expected.client_id = endpoints.client_id;
    expected.algorithms = endpoints.id_token_algorithms;
    if (!tokens.nonce.empty()) expected.nonce = std::string(tokens.nonce.expose());
    expected.access_token = tokens.response.access_token.expose();
    expected.now = clock_();
    NEXUS_TRY(const auto claims,
              metadata_.verify(endpoints, tokens.response.id_token.expose(), expected));
    metrics::id_token_returned();
    active.issuer = claims.issuer;
    active.subject = claims.subject;
    active.account = claims.account;
    sealed.push_back(fields.seal("id_token", tokens.response.id_token.expose()));
  }
  NEXUS_CHECK(learn_account(active, provider, endpoints, tokens.response.access_token));
  if (!row.replaces.empty()) {
    NEXUS_TRY(const auto old, store_.connection(row.replaces));
    if (old && !old->subject.empty() && !active.subject.empty() && old->subject != active.subject)
      return Error{ErrorCode::provider_rejected,
                   "this is another account than that of the connection to replace",
                   "consent as the same person, or connect without --replace"};
  }
  active.token = {tokens.response.token_type,
                  tokens.response.scope.value_or(row.requested_scopes),
                  tokens.sent_at,
                  {}};
  if (tokens.response.expires_in)
    active.token.expires_at = tokens.sent_at + *tokens.response.expires_in;
  if (!tokens.response.refresh_token.empty() || is_unattended(endpoints.grant))
    active.refresh_at = background_refresh_at(active.token, chance());
  active.updated_at = clock_();
  active.pinned = tokens.pinned;
  NEXUS_TRY(const auto activated, store_.activate(active, sealed));
  if (!activated)
    return Error{ErrorCode::provider_rejected, "the connection was removed meanwhile",
                 "start again: nexus connect PROVIDER"};
  if (active.refresh_at && timer_) timer_->expect(*active.refresh_at);
  return {};
}

}  // namespace nexus
