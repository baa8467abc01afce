#pragma once

#include <string>
#include <vector>

#include "common/error.h"
#include "daemon/net/http_client.h"

namespace nexus {

/// The members of an authorization server's metadata that nexusd uses (OpenID Connect Discovery 1.0
/// section 3, RFC 8414 section 2). Absent ones are empty.
struct ProviderMetadata {
  std::string issuer;
  std::string authorization_endpoint;
  std::string token_endpoint;
  std::string jwks_uri;
  std::string userinfo_endpoint;
  std::string revocation_endpoint;
  std::string device_authorization_endpoint;
  std::vector<std::string> id_token_algorithms;
  std::vector<std::string> token_endpoint_auth_methods;
  std::vector<std::string> code_challenge_methods;
  bool sends_iss = false;
};

/// Where the metadata of an issuer lies: the OpenID location, then RFC 8414's two.
std::vector<std::string> metadata_urls(const std::string& issuer);

/// Checks a metadata document: its issuer is the configured one to the byte, its endpoints are
/// https (a secure issuer has no insecure endpoint), and a token endpoint is there. Error:
/// provider_metadata_invalid.
Result<ProviderMetadata> parse_metadata(std::string_view document, const std::string& issuer,
                                        bool allow_insecure_http);

/// Fetches and checks it. Errors: those of HttpClient and of parse_metadata.
Result<ProviderMetadata> discover(const std::string& issuer, bool allow_insecure_http,
                                  const AddressPolicy& addresses, HttpClient& http);

}  // namespace nexus
