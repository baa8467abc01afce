#include "daemon/oauth/token_endpoint.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/text.h"
#include "daemon/oauth/client_assertion.h"
#include "daemon/oauth/token_request.h"

namespace nexus {
namespace {

/// An answer's tokens, or what it says went wrong.
Result<TokenResponse> read_tokens(OAuthAnswer answer, const Dialect& dialect) {
  NEXUS_TRY(auto document, document_of(std::move(answer)));
  return read_token_response(document, dialect);
}

void add_target(RequestBody& body, const TokenTarget& target, const Dialect& dialect) {
  if (!target.scopes.empty())
    body.add("scope", join(split(target.scopes, ' '), dialect.scope_separator));
  if (!target.audience.empty()) body.add(dialect.audience_parameter, target.audience);
}

/// What a target is refused for says nothing about the rest of the grant. RFC 6749 5.2, RFC 8707 2.
std::optional<Error> target_refused(const OAuthAnswer& answer, const TokenTarget& target) {
  const auto& error = answer.error;
  if (target.is_everything() || (error.code != "invalid_scope" && error.code != "invalid_target"))
    return std::nullopt;
  return Error{ErrorCode::scope_not_allowed,
               "the provider gives no token (" + describe(target) + "): " + error.text,
               "ask for less, or connect anew with more"};
}

/// RFC 7523 2.1: the client asks for itself or, where the provider lets it, for somebody.
Result<Secret> grant_assertion(const ProviderEndpoints& provider, const Secret& private_key,
                               const std::string& scopes) {
  const auto& dialect = provider.dialect;
  return sign_assertion({.issuer = provider.client_id,
                         .subject = dialect.assertion_subject.empty() ? provider.client_id
                                                                      : dialect.assertion_subject,
                         .audience = assertion_audience(provider),
                         .scopes = scopes,
                         .key_id = dialect.key_id,
                         .pss = dialect.assertion_pss},
                        private_key, system_now());
}

}  // namespace

std::string describe(const TokenTarget& target) {
  std::string text;
  if (!target.scopes.empty()) text = "scope " + printable(target.scopes, 200);
  if (!target.audience.empty())
    text += (text.empty() ? "for " : " for ") + printable(target.audience, 200);
  return text;
}

Result<TokenResponse> exchange_code(const ProviderEndpoints& provider, const Secret& client_secret,
                                    const Secret& code, const Secret& code_verifier,
                                    const std::string& redirect_uri, HttpClient& http) {
  const auto& dialect = provider.dialect;
  RequestBody body(dialect.json_request);
  body.add("grant_type", "authorization_code")
      .add("code", code.expose())
      .add("redirect_uri", redirect_uri)
      .add(dialect.token_params);
  if (!code_verifier.empty()) body.add("code_verifier", code_verifier.expose());
  NEXUS_TRY(const auto request,
            authenticated(provider, client_secret, provider.token, std::move(body)));
  NEXUS_TRY(
      auto answer,
      ask(request, dialect, {code.expose(), code_verifier.expose(), client_secret.expose()}, http));
  return read_tokens(std::move(answer), dialect);
}

Result<TokenResponse> refresh_token(const ProviderEndpoints& provider, const Secret& client_secret,
                                    const Secret& token, HttpClient& http,
                                    const TokenTarget& target) {
  const auto& dialect = provider.dialect;
  RequestBody body(dialect.json_request);
  body.add("grant_type", "refresh_token")
      .add("refresh_token", token.expose())
      .add(dialect.refresh_params);
  add_target(body, target, dialect);
  const auto& url = provider.refresh.empty() ? provider.token : provider.refresh;
  NEXUS_TRY(const auto request, authenticated(provider, client_secret, url, std::move(body)));
  NEXUS_TRY(auto answer, ask(request, dialect, {token.expose(), client_secret.expose()}, http));
  if (auto refused = target_refused(answer, target)) return *std::move(refused);
  const auto& error = answer.error;
  const auto& others = dialect.invalid_grant_errors;
  const bool refused = error.code == "invalid_grant" ||
                       std::find(others.begin(), others.end(), error.code) != others.end() ||
                       (answer.status == 401 && error.code == "invalid_token");
  if (refused && (answer.status == 200 || answer.status == 400 || answer.status == 401))
    return Error{ErrorCode::attention_required, error.text, ""};
  auto tokens = read_tokens(std::move(answer), dialect);
  // Any other refusal says nothing about the grant: a later try may do.
  if (!tokens && tokens.error().code == ErrorCode::provider_rejected)
    tokens.error().code = ErrorCode::upstream_error;
  return tokens;
}

Result<TokenResponse> client_token(const ProviderEndpoints& provider, const Secret& client_secret,
                                   const std::string& scopes, HttpClient& http,
                                   const TokenTarget& target) {
  const auto& dialect = provider.dialect;
  RequestBody body(dialect.json_request);
  body.add("grant_type", wire_name(provider.grant)).add(dialect.token_params);
  const TokenTarget wanted{target.scopes.empty() ? scopes : target.scopes, target.audience};
  add_target(body, wanted, dialect);
  Secret assertion;
  if (provider.grant == GrantType::jwt_bearer) {
    NEXUS_TRY(assertion, grant_assertion(provider, client_secret, wanted.scopes));
    body.add("assertion", assertion.expose());
  }
  NEXUS_TRY(const auto request,
            authenticated(provider, client_secret, provider.token, std::move(body)));
  NEXUS_TRY(auto answer, ask(request, dialect, {client_secret.expose(), assertion.expose()}, http));
  if (auto refused = target_refused(answer, target)) return *std::move(refused);
  auto tokens = read_tokens(std::move(answer), dialect);
  if (tokens) tokens->refresh_token = Secret();
  if (!tokens && tokens.error().code == ErrorCode::provider_rejected) {
    tokens.error().code = ErrorCode::provider_misconfigured;
    tokens.error().hint = "correct the client: nexus provider edit NAME";
  }
  return tokens;
}

}  // namespace nexus
