#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/error.h"
#include "daemon/oauth/discovery.h"
#include "daemon/oauth/endpoints.h"

namespace nexus {

/// A registered provider without its secret. The fields and their names are those of the published
/// contract (http-api.md 4.6); the last four are ours.
struct Provider {
  std::string id;
  std::string name;
  std::string auth_type = "oauth2";
  std::string auth_header;  ///< client authentication method, "" to follow the metadata
  std::string grant_type;   ///< as to_text(GrantType) has it; "" is the authorization code
  std::string client_id;
  std::string auth_url;
  std::string token_url;
  std::string issuer;
  bool enable_discovery = true;
  std::vector<std::string> scopes;  ///< asked for when a request names none
  std::string api_base_url;
  std::string user_info_endpoint;
  std::string description;
  std::string category;
  nlohmann::json params = nlohmann::json::object();
  std::string redirect_host;  ///< "localhost" for providers that insist, else the configured one
  std::string redirect_path;  ///< settled when it is registered, see MetadataCache
  bool allow_insecure_http = false;
  bool allow_private_network = false;

  bool is_static() const { return auth_type != "oauth2"; }
  GrantType grant() const { return grant_of(grant_type).value_or(GrantType::authorization_code); }
  /// The client's secret is a private key (PEM) that it signs with.
  bool signs() const {
    return auth_header == "private_key_jwt" || grant() == GrantType::jwt_bearer;
  }
  AddressPolicy addresses() const { return {allow_insecure_http, allow_private_network}; }
};

/// The members of a profile that are texts, and those that are true or false, by their names on the
/// wire.
std::span<const std::pair<const char*, std::string Provider::*>> profile_texts();
std::span<const std::pair<const char*, bool Provider::*>> profile_switches();

nlohmann::json to_json(const Provider& provider);
Provider provider_from_json(const nlohmann::json& json);

/// The extra parameters of the authorization request: the string members of `params` that are not
/// settings, and what an issuer is known to need for refresh tokens.
std::vector<std::pair<std::string, std::string>> authorization_parameters(
    const Provider& provider, const std::vector<std::string>& scopes);

/// The endpoints to use: what is configured first, then what the metadata says.
/// Error: provider_misconfigured when neither names an endpoint.
Result<ProviderEndpoints> resolve_endpoints(const Provider& provider, bool has_secret,
                                            const std::optional<ProviderMetadata>& metadata);

/// The endpoints that a flow or connection was made with, spoken to as the provider is registered
/// now: what was mended there (a client secret, its method, the dialect) holds for them too.
Result<ProviderEndpoints> pinned_endpoints(const std::string& pinned, const Provider& provider,
                                           bool has_secret);

}  // namespace nexus
