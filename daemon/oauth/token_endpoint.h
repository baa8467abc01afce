#pragma once

#include <string>

#include "common/clock.h"
#include "common/error.h"
#include "common/secret.h"
#include "daemon/net/http_client.h"
#include "daemon/oauth/endpoints.h"
#include "daemon/oauth/token_response.h"

namespace nexus {

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
/// error.
Result<TokenResponse> refresh_token(const ProviderEndpoints& provider, const Secret& client_secret,
                                    const Secret& token, HttpClient& http);

}  // namespace nexus
