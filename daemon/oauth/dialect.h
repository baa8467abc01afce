#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"

namespace nexus {

/// Where a provider's OAuth departs from RFC 6749. What is not set follows the RFC; each member is
/// named by the provider setting (a member of `params`) that it is read from.
struct Dialect {
  using Parameters = std::map<std::string, std::string>;

  /// pkce = "none" leaves the code challenge out (RFC 7636), for servers that reject parameters
  /// they do not know. Only for clients with a secret: see resolve_endpoints.
  bool pkce = true;
  std::string scope_separator = " ";
  bool skip_scope_on_auth = false;
  /// Other names for client_id, redirect_uri and response_type in the authorization request
  /// ("client_id" → "client_key"); "" for one that must not be sent.
  Parameters authorization_names;
  Parameters token_params;     ///< added to the code's exchange
  Parameters refresh_params;   ///< added to refreshes
  std::string refresh_url;     ///< where refreshes go, "" for the token endpoint
  bool json_request = false;   ///< token_request_format = "json"
  bool form_response = false;  ///< token_response_format = "form": also form-encoded answers
  /// token_response_path: members to descend by where the answer's top has no access_token.
  std::vector<std::string> response_path;
  /// token_scope_format: how the answer tells scopes. RFC 6749 has them separated by blanks
  /// ("text"); some separate them by commas ("comma", the default with that scope_separator) or
  /// send a list.
  enum class ScopeFormat { text, comma, list };
  ScopeFormat scope_format = ScopeFormat::text;
  /// invalid_grant_errors: what this server says, beside invalid_grant, when a refresh token is
  /// over for good.
  std::vector<std::string> invalid_grant_errors;
  bool token_type_optional = false;                ///< any token_type, or none, means Bearer
  std::optional<std::int64_t> default_expires_in;  ///< seconds, where the answer does not say
  bool tokens_never_expire = false;                ///< whatever the answer says of expires_in
  /// audience_parameter: what the API that a token is for is named in (RFC 8707's "resource", or
  /// the "audience" of older servers).
  std::string audience_parameter = "resource";
  /// Of assertions (RFC 7523): key_id names the key where the provider gave it a name,
  /// assertion_audience the server where it is neither issuer nor token endpoint,
  /// assertion_subject whom the client asks for, where not for itself.
  std::string key_id;
  std::string assertion_audience;
  std::string assertion_subject;
  bool assertion_pss = false;  ///< assertion_algorithm = "PS256" for RSA keys
};

/// Reads the settings above. Errors: invalid_field, naming the setting.
Result<Dialect> read_dialect(const nlohmann::json& params);

/// Whether a member of `params` is one of them.
bool is_dialect_setting(std::string_view name);

}  // namespace nexus
