#include "daemon/oauth/authorization_request.h"

#include <algorithm>

#include "common/text.h"
#include "daemon/crypto/encoding.h"
#include "daemon/net/url.h"

namespace nexus {
namespace {

using Parameters = std::vector<std::pair<std::string, std::string>>;

bool has(const Parameters& parameters, const std::string& name) {
  return std::any_of(parameters.begin(), parameters.end(),
                     [&](const auto& p) { return p.first == name; });
}

/// The endpoint without those of its query parameters that the request sets itself.
std::string without(const std::string& endpoint, const Parameters& ours) {
  const auto mark = endpoint.find('?');
  if (mark == std::string::npos) return endpoint;
  std::vector<std::string> kept;
  for (const auto& pair : split(endpoint.substr(mark + 1), '&')) {
    const auto name = percent_decode(pair.substr(0, pair.find('=')), true);
    if (name && !has(ours, *name)) kept.push_back(pair);
  }
  const auto base = endpoint.substr(0, mark);
  return kept.empty() ? base : base + "?" + join(kept, "&");
}

}  // namespace

bool is_reserved_parameter(const std::string& name) {
  static const std::vector<std::string> reserved{
      "response_type", "client_id",        "redirect_uri",          "scope",   "state",
      "nonce",         "code_challenge",   "code_challenge_method", "request", "request_uri",
      "client_secret", "client_assertion", "client_assertion_type"};
  return std::find(reserved.begin(), reserved.end(), name) != reserved.end();
}

std::string code_challenge(const std::string& verifier) {
  return base64url(sha256(verifier));
}

std::string authorization_url(const ProviderEndpoints& endpoints, const Dialect& dialect,
                              const AuthorizationRequest& request) {
  Parameters parameters;
  const auto put = [&](const char* name, const std::string& value) {
    const auto other = dialect.authorization_names.find(name);
    const auto used = other == dialect.authorization_names.end() ? name : other->second;
    if (!used.empty()) parameters.emplace_back(used, value);
  };
  put("response_type", "code");
  put("client_id", endpoints.client_id);
  put("redirect_uri", request.redirect_uri);
  if (!request.scopes.empty() && !dialect.skip_scope_on_auth)
    put("scope", join(request.scopes, dialect.scope_separator));
  put("state", request.state);
  if (!request.code_challenge.empty()) {
    put("code_challenge", request.code_challenge);
    put("code_challenge_method", "S256");
  }
  if (!request.nonce.empty()) put("nonce", request.nonce);
  for (const auto& [name, value] : request.extra)
    if (!is_reserved_parameter(name) && !has(parameters, name))
      parameters.emplace_back(name, value);
  return with_parameters(without(endpoints.authorization, parameters), parameters);
}

}  // namespace nexus
