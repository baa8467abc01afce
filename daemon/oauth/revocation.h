#pragma once

#include <string>

#include "common/secret.h"
#include "daemon/net/http_client.h"
#include "daemon/oauth/endpoints.h"

namespace nexus {

/// What came of asking a provider to forget a token (RFC 7009).
struct Revocation {
  bool revoked = false;  ///< the provider answered 200
  std::string error;     ///< else why not
};
Revocation revoke_token(const ProviderEndpoints& provider, const Secret& client_secret,
                        const Secret& token, const char* token_type_hint, HttpClient& http);

}  // namespace nexus
