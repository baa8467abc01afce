#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "daemon/net/http_client.h"

namespace nexus {

/// How a client proves itself at the token endpoint (RFC 6749 2.3.1; OpenID Connect Core 9). With
/// private_key_jwt its secret is a private key (PEM) and never leaves.
enum class ClientAuthMethod { client_secret_basic, client_secret_post, private_key_jwt, none };

const char* to_text(ClientAuthMethod method);
/// Nothing for a method of another name.
std::optional<ClientAuthMethod> client_auth_method(std::string_view name);

/// How a client comes by tokens: a person consents in a browser here (RFC 6749 4.1) or elsewhere
/// (RFC 8628), or nobody has to (RFC 6749 4.4, RFC 7523 2.1).
enum class GrantType { authorization_code, device_code, client_credentials, jwt_bearer };

const char* to_text(GrantType grant);
/// As grant_type has it.
const char* wire_name(GrantType grant);
/// By its short name or as grant_type has it on the wire; "" is the authorization code.
std::optional<GrantType> grant_of(std::string_view name);

/// Whether the client asks for itself: no person, and no refresh token.
constexpr bool is_unattended(GrantType grant) {
  return grant == GrantType::client_credentials || grant == GrantType::jwt_bearer;
}

/// Everything that one authorization flow and the refreshes after it need to know about a provider.
/// A flow keeps its own copy (RFC 9700 4.4: what was true when it began holds until it ends).
struct ProviderEndpoints {
  std::string issuer;  ///< "" for a provider that is OAuth only
  std::string authorization;
  std::string token;
  std::string device_authorization;  ///< "" where there is no device grant
  std::string refresh;               ///< where refreshes go, "" for the token endpoint
  std::string jwks;
  std::string userinfo;
  std::string revocation;
  std::vector<std::string> id_token_algorithms;
  bool sends_iss = false;  ///< authorization_response_iss_parameter_supported (RFC 9207)
  std::string client_id;
  ClientAuthMethod client_auth = ClientAuthMethod::none;
  AddressPolicy addresses;
  bool allow_insecure_http = false;
};

/// As it is kept with a flow or connection: JSON.
std::string to_text(const ProviderEndpoints& endpoints);
/// Error: internal_error for a text that is none of these.
Result<ProviderEndpoints> endpoints_from_text(const std::string& text);

}  // namespace nexus
