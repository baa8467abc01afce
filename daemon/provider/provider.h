#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
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

/// A registered provider without its secret: one value, checked where it came in.
struct Provider : api::ProviderProfile {
  GrantType grant = GrantType::authorization_code;
  ProviderSettings settings;
  /// Of a provider of static credentials, nothing for others.
  std::shared_ptr<const StaticApi> api;
  /// Why its record cannot be used, "" for a sound one. Such a provider has an id and a name, and
  /// is listed, replaced and removed by them.
  std::string damage;

  bool is_static() const { return auth_type != AuthType::oauth2; }
  /// The client's secret is a private key (PEM) that it signs with.
  bool signs() const { return auth_header == "private_key_jwt" || grant == GrantType::jwt_bearer; }
  AddressPolicy addresses() const { return {allow_insecure_http, allow_private_network}; }
};

/// The profile as it is stored and shown.
nlohmann::json to_json(const Provider& provider);
/// The same as the API tells it; what is not of the profile itself is empty.
api::Provider describe(const Provider& provider);
/// Reads it back. Errors: those of read_settings and read_static_api, internal_error for what is no
/// profile; each says what is wrong, not whose it is.
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
