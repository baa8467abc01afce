#pragma once

#include <string>
#include <utility>
#include <vector>

#include "daemon/oauth/dialect.h"
#include "daemon/oauth/endpoints.h"

namespace nexus {

/// The front-channel half of a flow (RFC 6749 4.1.1, RFC 7636 4.3, OpenID Connect Core 3.1.2.1).
struct AuthorizationRequest {
  std::string redirect_uri;
  std::vector<std::string> scopes;
  std::string state;
  std::string code_challenge;  ///< S256; "" for a provider that takes none
  std::string nonce;           ///< "" unless `openid` is among the scopes
  /// The provider's own additions (`access_type=offline`…). They never override the above.
  std::vector<std::pair<std::string, std::string>> extra;
};

/// Parameters that only the flow itself may set, also where it leaves them out.
bool is_reserved_parameter(const std::string& name);

/// BASE64URL(SHA256(verifier)), RFC 7636 4.2.
std::string code_challenge(const std::string& verifier);

/// The URL a browser is sent to. The endpoint's own query parameters are kept, none appears twice.
std::string authorization_url(const ProviderEndpoints& endpoints, const Dialect& dialect,
                              const AuthorizationRequest& request);

}  // namespace nexus
