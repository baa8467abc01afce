#pragma once

#include <map>
#include <string>

#include "common/error.h"
#include "common/secret.h"
#include "daemon/net/http_client.h"
#include "daemon/oauth/endpoints.h"

namespace nexus {

/// What a userinfo endpoint (OpenID Connect Core 5.3), or an API's own "who am I", tells.
struct UserInfo {
  std::string subject;  ///< "" where it names none, as plain OAuth APIs do
  std::string account;  ///< for people
};

/// Asks with the token in the Authorization header; `headers` are added. Answers within 5 s or not
/// at all: nothing that matters hangs on it. Errors: those of HttpClient, provider_protocol.
Result<UserInfo> fetch_userinfo(const ProviderEndpoints& provider, const Secret& access_token,
                                const std::map<std::string, std::string>& headers,
                                HttpClient& http);

}  // namespace nexus
