#include "daemon/oauth/token_endpoint.h"

#include <curl/curl.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/json.h"
#include "common/text.h"
#include "daemon/crypto/encoding.h"

namespace nexus {
namespace {

constexpr UnixTime kLongestRetryAfter = 3600;

/// The parameters of a request's body, a form or (where a provider insists) JSON, in wiped memory.
class Body {
 public:
  explicit Body(bool json = false) : json_(json) {
    form_.reserve(1024);
    if (json_) object_.begin();
  }
  Body& add(std::string_view name, std::string_view value) {
    if (json_) {
      object_.member(name, value);
      return *this;
    }
    if (!form_.empty()) form_ += '&';
    auto encoded = form_encode(value);
    form_.append(form_encode(name)).append("=").append(encoded);
    wipe(encoded);
    return *this;
  }
  Body& add(const Dialect::Parameters& parameters) {
    for (const auto& [name, value] : parameters) add(name, value);
    return *this;
  }
  void put_into(OutgoingRequest& request) {
    if (json_) {
      request.body = object_.end().take();
      request.content_type = "application/json";
    } else {
      request.body = std::move(form_);
    }
  }

 private:
  bool json_;
  SecretText form_;
  SecretJsonWriter object_;
};

OutgoingRequest authenticated(const ProviderEndpoints& provider, const Secret& client_secret,
                              const std::string& url, Body body) {
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
      body.add("client_id", provider.client_id).add("client_secret", client_secret.expose());
      break;
    case ClientAuthMethod::none:
      body.add("client_id", provider.client_id);
      break;
  }
  body.put_into(request);
  return request;
}

std::string media_type(const std::string& content_type) {
  return lower(trim(std::string_view(content_type).substr(0, content_type.find(';'))));
}
bool is_form(const std::string& content_type) {
  return media_type(content_type) == "application/x-www-form-urlencoded";
}
bool is_text(const std::string& content_type) {
  return media_type(content_type) == "text/plain";
}
bool is_json(const std::string& content_type) {
  const auto type = media_type(content_type);
  return type == "application/json" ||
         (type.starts_with("application/") && type.ends_with("+json"));
}

/// RFC 6749 5.2: the error of an answer, "" when it is none.
struct OAuthError {
  std::string code;
  std::string text;  ///< code and description, cleaned and without what we sent
};

OAuthError read_error(const Result<Json>& document, const std::vector<std::string_view>& secrets) {
  if (!document || !document->contains("error")) return {};
  OAuthError error;
  error.code = printable_without(text_member(*document, "error").value_or("error"), secrets);
  error.text = error.code;
  if (const auto description = text_member(*document, "error_description"))
    error.text += ": " + printable_without(*description, secrets);
  return error;
}

/// The answer's document, where its type is one that this provider may answer with (C4).
Result<Json> document_of(const IncomingResponse& response, const Dialect& dialect) {
  const auto type = response.header("content-type");
  if (is_json(type)) return parse_token_answer(response.body, false);
  if (dialect.form_response && (is_form(type) || is_text(type)))
    return parse_token_answer(response.body, true);
  return Error{ErrorCode::provider_protocol,
               "the token endpoint's answer is not usable: status " +
                   std::to_string(response.status) + ", type '" + printable(type, 60) + "'",
               "check the provider's token endpoint"};
}

bool is_configuration_error(const std::string& code) {
  return code == "invalid_client" || code == "unauthorized_client" ||
         code == "unsupported_grant_type" || code == "invalid_scope";
}

/// An answer's tokens, or what it says went wrong.
Result<TokenResponse> read_answer(const IncomingResponse& response, Result<Json> document,
                                  const OAuthError& error, const Dialect& dialect) {
  if (response.status == 429 || response.status == 408 || response.status >= 500) {
    Error unavailable{ErrorCode::upstream_error,
                      "the token endpoint answered " + std::to_string(response.status),
                      "try again later"};
    if (response.status == 429 || response.status == 503)
      unavailable.retry_after_s = parse_retry_after(response.header("retry-after"));
    return unavailable;
  }
  if (is_configuration_error(error.code))
    return Error{ErrorCode::provider_misconfigured,
                 "the provider refuses this client (" + error.text + ")",
                 "correct its client id, secret or scopes: nexus provider edit NAME"};
  if (!error.code.empty())
    return Error{ErrorCode::provider_rejected, "the provider refused (" + error.text + ")",
                 "start again: nexus connect PROVIDER"};
  if (response.status != 200)
    return Error{ErrorCode::provider_protocol,
                 "the token endpoint's answer is not usable: status " +
                     std::to_string(response.status) + ", type '" +
                     printable(response.header("content-type"), 60) + "'",
                 "check the provider's token endpoint"};
  if (!document && document.error().code == ErrorCode::invalid_json)
    return Error{ErrorCode::provider_protocol,
                 "the token endpoint's answer is not usable: it is not an object",
                 "check the provider's token endpoint"};
  if (!document) return std::move(document).error();
  return read_token_response(*document, dialect);
}

}  // namespace

Result<TokenResponse> exchange_code(const ProviderEndpoints& provider, const Secret& client_secret,
                                    const Secret& code, const Secret& code_verifier,
                                    const std::string& redirect_uri, HttpClient& http) {
  const auto& dialect = provider.dialect;
  Body body(dialect.json_request);
  body.add("grant_type", "authorization_code")
      .add("code", code.expose())
      .add("redirect_uri", redirect_uri)
      .add(dialect.token_params);
  if (!code_verifier.empty()) body.add("code_verifier", code_verifier.expose());
  const auto request = authenticated(provider, client_secret, provider.token, std::move(body));
  NEXUS_TRY(const auto response, http.send(request));
  auto document = document_of(response, dialect);
  const auto error =
      read_error(document, {code.expose(), code_verifier.expose(), client_secret.expose()});
  return read_answer(response, std::move(document), error, dialect);
}

Result<TokenResponse> refresh_token(const ProviderEndpoints& provider, const Secret& client_secret,
                                    const Secret& token, HttpClient& http) {
  const auto& dialect = provider.dialect;
  Body body(dialect.json_request);
  body.add("grant_type", "refresh_token")
      .add("refresh_token", token.expose())
      .add(dialect.refresh_params);
  const auto& url = provider.refresh.empty() ? provider.token : provider.refresh;
  const auto request = authenticated(provider, client_secret, url, std::move(body));
  NEXUS_TRY(const auto response, http.send(request));
  auto document = document_of(response, dialect);
  const auto error = read_error(document, {token.expose(), client_secret.expose()});
  const auto& others = dialect.invalid_grant_errors;
  const bool refused = error.code == "invalid_grant" ||
                       std::find(others.begin(), others.end(), error.code) != others.end() ||
                       (response.status == 401 && error.code == "invalid_token");
  if (refused && (response.status == 200 || response.status == 400 || response.status == 401))
    return Error{ErrorCode::attention_required, error.text, ""};
  auto answer = read_answer(response, std::move(document), error, dialect);
  // Any other refusal says nothing about the grant: a later try may do.
  if (!answer && answer.error().code == ErrorCode::provider_rejected)
    answer.error().code = ErrorCode::upstream_error;
  return answer;
}

int parse_retry_after(std::string_view header, UnixTime now) {
  const auto text = trim(header);
  if (text.empty()) return 0;
  if (text.find_first_not_of("0123456789") == std::string_view::npos)
    return static_cast<int>(
        std::min(parse_number(text).value_or(kLongestRetryAfter), kLongestRetryAfter));
  const auto date = curl_getdate(std::string(text).c_str(), nullptr);
  return date <= now ? 0 : static_cast<int>(std::min<UnixTime>(date - now, kLongestRetryAfter));
}

Revocation revoke_token(const ProviderEndpoints& provider, const Secret& client_secret,
                        const Secret& token, const char* token_type_hint, HttpClient& http) {
  Body body;
  body.add("token", token.expose()).add("token_type_hint", token_type_hint);
  const auto response =
      http.send(authenticated(provider, client_secret, provider.revocation, std::move(body)));
  if (!response) return {false, response.error().message};
  if (response->status == 200) return {true, ""};
  const auto error = read_error(document_of(*response, provider.dialect),
                                {token.expose(), client_secret.expose()});
  return {false, "the revocation endpoint answered " + std::to_string(response->status) +
                     (error.code.empty() ? "" : " (" + error.text + ")")};
}

}  // namespace nexus
