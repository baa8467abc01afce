#pragma once

#include <string>

#include "common/clock.h"
#include "common/error.h"
#include "common/secret.h"
#include "daemon/net/http_client.h"
#include "daemon/oauth/endpoints.h"
#include "daemon/oauth/token_response.h"

namespace nexus {

/// What one token is to be good for, where that is less (or other) than all that was granted.
struct TokenTarget {
  std::string scopes;    ///< separated by blanks; "" for those that were granted
  std::string audience;  ///< the API it is for (RFC 8707), "" for the provider's usual one

  bool is_everything() const { return scopes.empty() && audience.empty(); }
  friend bool operator==(const TokenTarget&, const TokenTarget&) = default;
};

/// "scope … for …", for records and messages; "" for everything.
std::string describe(const TokenTarget& target);

/// Exchanges an authorization code for tokens (RFC 6749 4.1.3, RFC 7636 4.5).
///
/// `code_verifier` is empty where no challenge was sent.
/// Sends exactly one request and never repeats it: a code is single-use, and a repeat can revoke
/// what the first one issued. Errors: provider_rejected (the provider's own OAuth error),
/// provider_misconfigured (it does not know this client), upstream_error and upstream_timeout
/// (network, 5xx, 429), provider_protocol (an answer that RFC 6749 5.1 does not allow).
Result<TokenResponse> exchange_code(const ProviderEndpoints& provider, const Secret& client_secret,
                                    const Secret& code, const Secret& code_verifier,
                                    const std::string& redirect_uri, HttpClient& http);

/// Uses a refresh token (RFC 6749 6). Errors (security.md F9): attention_required only for
/// invalid_grant, 401 invalid_token and what the dialect adds to them; provider_misconfigured for
/// invalid_client, unauthorized_client, unsupported_grant_type and invalid_scope; all else is
/// upstream_error, upstream_timeout or provider_protocol, and the refresh token is as good as
/// before, unless the request may have arrived without an answer. A Retry-After comes with its
/// error. With a `target` the access token is for that alone; the refresh token stays whole. Error
/// then: scope_not_allowed, which says nothing about the grant.
Result<TokenResponse> refresh_token(const ProviderEndpoints& provider, const Secret& client_secret,
                                    const Secret& token, HttpClient& http,
                                    const TokenTarget& target = {});

/// Asks for a token that the client may have without a person: client credentials (RFC 6749 4.4) or
/// an assertion as the grant (RFC 7523 2.1), as the provider's grant says. `scopes` are the usual
/// ones, which a `target` may replace. There is no refresh
/// token: one that comes is ignored (RFC 6749 4.4.3). Errors: provider_misconfigured for whatever
/// the provider refuses, since only the registration can be what is wrong; upstream_error,
/// upstream_timeout, provider_protocol, scope_not_allowed as above.
Result<TokenResponse> client_token(const ProviderEndpoints& provider, const Secret& client_secret,
                                   const std::string& scopes, HttpClient& http,
                                   const TokenTarget& target = {});

}  // namespace nexus
