#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "common/error.h"
#include "daemon/net/http_client.h"
#include "daemon/oauth/dialect.h"

namespace nexus {

/// How a client proves itself at the token endpoint (RFC 6749 2.3.1; OpenID Connect Core 9).
enum class ClientAuthMethod { client_secret_basic, client_secret_post, none };

const char* to_text(ClientAuthMethod method);

/// Everything that one authorization flow and the refreshes after it need to know about a provider.
/// A flow keeps its own copy (RFC 9700 4.4: what was true when it began holds until it ends).
struct ProviderEndpoints {
  std::string issuer;  ///< "" for a provider that is OAuth only
  std::string authorization;
  std::string token;
  std::string refresh;  ///< where refreshes go, "" for the token endpoint
  std::string jwks;
  std::string userinfo;
  std::string revocation;
  std::vector<std::string> id_token_algorithms;
  bool sends_iss = false;  ///< authorization_response_iss_parameter_supported (RFC 9207)
  std::string client_id;
  ClientAuthMethod client_auth = ClientAuthMethod::none;
  Reach reach;
  bool allow_insecure_http = false;
  /// How the provider wants to be spoken to. Not kept with the rest: it says nothing about where
  /// secrets go, and mending it mends the connections there are.
  Dialect dialect;
};

nlohmann::json to_json(const ProviderEndpoints& endpoints);
ProviderEndpoints endpoints_from_json(const nlohmann::json& json);

}  // namespace nexus
