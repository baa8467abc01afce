#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/api/provider.h"
#include "common/api/words.h"
#include "common/error.h"
#include "daemon/oauth/discovery.h"
#include "daemon/oauth/endpoints.h"
#include "daemon/provider/settings.h"
#include "daemon/provider/static_api.h"

namespace nexus {

/// A registered provider without its secret: one value, checked where it came in. The fields and
/// their names are those of the published contract (openapi.yaml, Provider); the last four are
/// ours.
struct Provider {
  std::string id;
  std::string name;
  AuthType auth_type = AuthType::oauth2;
  std::string auth_header;  ///< client authentication method, "" to follow the metadata
  GrantType grant = GrantType::authorization_code;
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
  ProviderSettings settings;
  std::string redirect_host;  ///< "localhost" for providers that insist, else the configured one
  std::string redirect_path;  ///< settled when it is registered, see MetadataCache
  bool allow_insecure_http = false;
  bool allow_private_network = false;
  /// Of a provider of static credentials, nothing for others.
  std::shared_ptr<const StaticApi> api;

  bool is_static() const { return auth_type != AuthType::oauth2; }
  /// The client's secret is a private key (PEM) that it signs with.
  bool signs() const { return auth_header == "private_key_jwt" || grant == GrantType::jwt_bearer; }
  AddressPolicy addresses() const { return {allow_insecure_http, allow_private_network}; }
};

/// The members of a profile that are plain texts, and those that are true or false, by their names
/// on the wire.
std::span<const std::pair<const char*, std::string Provider::*>> profile_texts();
std::span<const std::pair<const char*, bool Provider::*>> profile_switches();

/// The profile as it is stored and shown.
nlohmann::json to_json(const Provider& provider);
/// The same as the API tells it; what is not of the profile itself is empty.
api::Provider describe(const Provider& provider);
/// Reads it back. Errors: those of read_settings and read_static_api, internal_error for what is no
/// profile.
Result<Provider> provider_from_json(const nlohmann::json& profile);

/// Reads what `params` says of a provider whose other fields are there. Errors: those of
/// read_settings and read_static_api.
Result<void> settle(Provider& provider, const nlohmann::json& params);

/// The extra parameters of the authorization request, and what refresh tokens are asked for with.
std::vector<std::pair<std::string, std::string>> authorization_parameters(
    const Provider& provider, const std::vector<std::string>& scopes);

/// The endpoints to use: what is configured first, then what the metadata says.
/// Error: provider_misconfigured when neither names an endpoint.
Result<ProviderEndpoints> resolve_endpoints(const Provider& provider, bool has_secret,
                                            const std::optional<ProviderMetadata>& metadata);

/// The endpoints that a flow or connection was made with, spoken to as the provider is registered
/// now: what was mended there (a client secret, its method) holds for them too. Error:
/// internal_error for a record that is damaged.
Result<ProviderEndpoints> pinned_endpoints(const std::string& pinned, const Provider& provider,
                                           bool has_secret);

}  // namespace nexus
