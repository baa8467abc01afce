#include "daemon/oauth/token_endpoint.h"

#include <nlohmann/json.hpp>

#include "common/json.h"
#include "common/text.h"
#include "daemon/crypto/encoding.h"

namespace nexus {
namespace {

/// A form body in wiped memory.
class Form {
 public:
  Form() { body_.reserve(1024); }
  Form& add(std::string_view name, std::string_view value) {
    if (!body_.empty()) body_ += '&';
    auto encoded = form_encode(value);
    body_.append(name).append("=").append(encoded);
    wipe(encoded);
    return *this;
  }
  SecretText take() { return std::move(body_); }

 private:
  SecretText body_;
};

OutgoingRequest authenticated(const ProviderEndpoints& provider, const Secret& client_secret,
                              const std::string& url, Form form) {
  OutgoingRequest request{.method = "POST", .url = url, .reach = provider.reach};
  request.headers.emplace_back("Accept", Secret("application/json"));
  switch (provider.client_auth) {
    case ClientAuthMethod::client_secret_basic: {
      // RFC 6749 2.3.1: both are form-encoded before they are joined.
      auto pair = form_encode(provider.client_id) + ":" + form_encode(client_secret.expose());
      auto header = "Basic " + base64(pair);
      request.headers.emplace_back("Authorization", Secret(header));
      wipe(pair);
      wipe(header);
      break;
    }
    case ClientAuthMethod::client_secret_post:
      form.add("client_id", provider.client_id).add("client_secret", client_secret.expose());
      break;
    case ClientAuthMethod::none:
      form.add("client_id", provider.client_id);
      break;
  }
  request.body = form.take();
  return request;
}

bool is_json(const std::string& content_type) {
  const auto type = lower(trim(std::string_view(content_type).substr(0, content_type.find(';'))));
  return type == "application/json" ||
         (type.starts_with("application/") && type.ends_with("+json"));
}

/// RFC 6749 5.2: the error of an answer, "" when it is none.
struct OAuthError {
  std::string code;
  std::string text;  ///< code and description, cleaned and without what we sent
};

OAuthError read_error(const IncomingResponse& response,
                      const std::vector<std::string_view>& secrets) {
  if (!is_json(response.header("content-type"))) return {};
  const auto document = parse_json_object(response.body);
  if (!document || !document->contains("error")) return {};
  OAuthError error;
  error.code = printable_without(text_member(*document, "error").value_or("error"), secrets);
  error.text = error.code;
  if (const auto description = text_member(*document, "error_description"))
    error.text += ": " + printable_without(*description, secrets);
  return error;
}

bool is_configuration_error(const std::string& code) {
  return code == "invalid_client" || code == "unauthorized_client" ||
         code == "unsupported_grant_type" || code == "invalid_scope";
}

/// The first half of every answer's reading: what is not a plain 200 with JSON and without `error`.
Result<void> check_answer(const IncomingResponse& response, const OAuthError& error) {
  if (response.status == 429 || response.status == 408 || response.status >= 500)
    return Error{ErrorCode::upstream_error,
                 "the token endpoint answered " + std::to_string(response.status),
                 "try again later"};
  if (is_configuration_error(error.code))
    return Error{ErrorCode::provider_misconfigured,
                 "the provider refuses this client (" + error.text + ")",
                 "correct its client id, secret or scopes: nexus provider add … --replace"};
  if (!error.code.empty())
    return Error{ErrorCode::provider_rejected, "the provider refused (" + error.text + ")",
                 "start again: nexus connect PROVIDER"};
  if (response.status != 200 || !is_json(response.header("content-type")))
    return Error{ErrorCode::provider_protocol,
                 "the token endpoint's answer is not usable: status " +
                     std::to_string(response.status) + ", type '" +
                     printable(response.header("content-type"), 60) + "'",
                 "check the provider's token endpoint"};
  return {};
}

}  // namespace

Result<TokenResponse> exchange_code(const ProviderEndpoints& provider, const Secret& client_secret,
                                    const Secret& code, const Secret& code_verifier,
                                    const std::string& redirect_uri, HttpClient& http) {
  Form form;
  form.add("grant_type", "authorization_code")
      .add("code", code.expose())
      .add("redirect_uri", redirect_uri)
      .add("code_verifier", code_verifier.expose());
  const auto request = authenticated(provider, client_secret, provider.token, std::move(form));
  NEXUS_TRY(const auto response, http.send(request));
  const auto error =
      read_error(response, {code.expose(), code_verifier.expose(), client_secret.expose()});
  NEXUS_CHECK(check_answer(response, error));
  return parse_token_response(response.body);
}

Result<TokenResponse> refresh_token(const ProviderEndpoints& provider, const Secret& client_secret,
                                    const Secret& token, HttpClient& http) {
  Form form;
  form.add("grant_type", "refresh_token").add("refresh_token", token.expose());
  const auto request = authenticated(provider, client_secret, provider.token, std::move(form));
  NEXUS_TRY(const auto response, http.send(request));
  const auto error = read_error(response, {token.expose(), client_secret.expose()});
  const bool final =
      (response.status == 400 && error.code == "invalid_grant") ||
      (response.status == 200 && error.code == "invalid_grant") ||
      (response.status == 401 && (error.code == "invalid_grant" || error.code == "invalid_token"));
  if (final) return Error{ErrorCode::attention_required, error.text, ""};
  auto checked = check_answer(response, error);
  if (!checked) {
    // Any other refusal says nothing about the grant: a later try may do.
    if (checked.error().code == ErrorCode::provider_rejected)
      checked.error().code = ErrorCode::upstream_error;
    return std::move(checked).error();
  }
  return parse_token_response(response.body);
}

Revocation revoke_token(const ProviderEndpoints& provider, const Secret& client_secret,
                        const Secret& token, const char* token_type_hint, HttpClient& http) {
  Form form;
  form.add("token", token.expose()).add("token_type_hint", token_type_hint);
  const auto response =
      http.send(authenticated(provider, client_secret, provider.revocation, std::move(form)));
  if (!response) return {false, response.error().message};
  if (response->status == 200) return {true, ""};
  const auto error = read_error(*response, {token.expose(), client_secret.expose()});
  return {false, "the revocation endpoint answered " + std::to_string(response->status) +
                     (error.code.empty() ? "" : " (" + error.text + ")")};
}

}  // namespace nexus
