#pragma once

#include <string>

#include "common/secret.h"
#include "daemon/net/http_client.h"
#include "daemon/oauth/endpoints.h"

namespace nexus {

/// What came of asking a provider to forget a token (RFC 7009 2.2, security.md H6).
struct Revocation {
  enum class Outcome {
    revoked,      ///< it answered 200, and nothing else counts as that
    unsupported,  ///< it revokes no tokens of this type
    later,        ///< the token still exists: to be tried again
    refused,      ///< it says no
  };
  Outcome outcome = Outcome::revoked;
  std::string error;  ///< why it was not
  int retry_after_s = 0;
};

/// Asks the provider to forget a token. The token travels in the body, with the client's own
/// authentication; redirects are not followed.
Revocation revoke_token(const ProviderEndpoints& provider, const Secret& client_secret,
                        const Secret& token, const char* token_type_hint, HttpClient& http);

}  // namespace nexus
