#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace nexus {

/// Where a provider's OAuth departs from RFC 6749. What is not set follows the RFC; each member is
/// named by the provider setting that it is read from (provider/settings.cc).
struct Dialect {
  using Parameters = std::map<std::string, std::string>;

  /// `none` leaves the code challenge out (RFC 7636), for servers that reject parameters they do
  /// not know. Only for clients with a secret: see resolve_endpoints.
  enum class Pkce { s256, none };
  enum class BodyFormat { form, json };
  enum class ScopeFormat { text, comma, list };
  enum class AssertionAlgorithm { rs256, ps256 };

  Pkce pkce = Pkce::s256;
  std::string scope_separator = " ";
  bool skip_scope_on_auth = false;
  /// Nothing follows from this one: a code's exchange never carries scopes here (RFC 6749 4.1.3).
  bool skip_scope_on_exchange = true;
  /// offline_access_scope = false: the provider knows no such scope (OpenID Connect Core 11) and
  /// hands out refresh tokens for something else.
  bool offline_access_scope = true;
  /// Other names for client_id, redirect_uri and response_type in the authorization request
  /// ("client_id" → "client_key"); "" for one that must not be sent.
  Parameters authorization_names;
  Parameters token_params;    ///< added to the code's exchange
  Parameters refresh_params;  ///< added to refreshes
  std::string refresh_url;    ///< where refreshes go, "" for the token endpoint
  BodyFormat token_request_format = BodyFormat::form;
  /// `form`: also form-encoded answers.
  BodyFormat token_response_format = BodyFormat::json;
  /// Members to descend by, separated by dots, where the answer's top has no access_token.
  std::string token_response_path;
  /// How the answer tells scopes: separated by blanks (RFC 6749), by commas, or as a list. Not set,
  /// they are separated as in the request.
  std::optional<ScopeFormat> token_scope_format;
  /// What this server says, beside invalid_grant, when a refresh token is over for good.
  std::vector<std::string> invalid_grant_errors;
  bool token_type_optional = false;                ///< any token_type, or none, means Bearer
  std::optional<std::int64_t> default_expires_in;  ///< seconds, where the answer does not say
  bool tokens_never_expire = false;                ///< whatever the answer says of expires_in
  bool untold_expiry_is_never = false;             ///< those whose answer does not say never expire
  /// What is kept of a token's answer beside the standard members: names, or paths with dots.
  std::vector<std::string> token_fields;
  /// What the API that a token is for is named in: RFC 8707's "resource", or the "audience" of
  /// older servers.
  std::string audience_parameter = "resource";
  /// Of assertions (RFC 7523): key_id names the key where the provider gave it a name,
  /// assertion_audience the server where it is neither issuer nor token endpoint,
  /// assertion_subject whom the client asks for, where not for itself.
  std::string key_id;
  std::string assertion_audience;
  std::string assertion_subject;
  AssertionAlgorithm assertion_algorithm = AssertionAlgorithm::rs256;  ///< for RSA keys

  bool pss() const { return assertion_algorithm == AssertionAlgorithm::ps256; }
  ScopeFormat scope_format() const {
    return token_scope_format.value_or(scope_separator == "," ? ScopeFormat::comma
                                                              : ScopeFormat::text);
  }
};

}  // namespace nexus
