#include "daemon/provider/provider.h"

#include <algorithm>

#include "common/json.h"

namespace nexus {
namespace {

/// The text members of a profile, by their names on the wire.
constexpr std::pair<const char*, std::string Provider::*> kTexts[] = {
    {"name", &Provider::name},
    {"auth_type", &Provider::auth_type},
    {"auth_header", &Provider::auth_header},
    {"grant_type", &Provider::grant_type},
    {"client_id", &Provider::client_id},
    {"auth_url", &Provider::auth_url},
    {"token_url", &Provider::token_url},
    {"issuer", &Provider::issuer},
    {"api_base_url", &Provider::api_base_url},
    {"user_info_endpoint", &Provider::user_info_endpoint},
    {"description", &Provider::description},
    {"category", &Provider::category},
    {"redirect_host", &Provider::redirect_host},
    {"redirect_path", &Provider::redirect_path}};

constexpr std::pair<const char*, bool Provider::*> kSwitches[] = {
    {"enable_discovery", &Provider::enable_discovery},
    {"allow_insecure_http", &Provider::allow_insecure_http},
    {"allow_private_network", &Provider::allow_private_network}};

/// Members of `params` that steer nexusd instead of travelling to the provider, beside those of the
/// dialect.
constexpr const char* kSettings[] = {"revocation_endpoint", "device_authorization_endpoint",
                                     "credential_schema",   "auth_strategy",
                                     "validation",          "request_headers",
                                     "https_redirect",      "any_loopback_port",
                                     "catalog_entry",       "api_hosts"};

bool is_setting(const std::string& name) {
  return is_dialect_setting(name) ||
         std::find(std::begin(kSettings), std::end(kSettings), name) != std::end(kSettings);
}

}  // namespace

std::span<const std::pair<const char*, std::string Provider::*>> profile_texts() {
  return kTexts;
}

std::span<const std::pair<const char*, bool Provider::*>> profile_switches() {
  return kSwitches;
}

Json to_json(const Provider& provider) {
  Json json{{"id", provider.id}, {"scopes", provider.scopes}, {"params", provider.params}};
  for (const auto& [name, member] : kTexts) json[name] = provider.*member;
  for (const auto& [name, member] : kSwitches) json[name] = provider.*member;
  return json;
}

Provider provider_from_json(const Json& json) {
  Provider provider;
  provider.id = json.at("id");
  provider.scopes = json.at("scopes").get<std::vector<std::string>>();
  provider.params = json.at("params");
  // Not `at`: an older nexusd knew fewer of them.
  for (const auto& [name, member] : kTexts) provider.*member = json.value(name, "");
  for (const auto& [name, member] : kSwitches) provider.*member = json.at(name);
  return provider;
}

std::vector<std::pair<std::string, std::string>> authorization_parameters(
    const Provider& provider, const std::vector<std::string>& scopes) {
  std::vector<std::pair<std::string, std::string>> parameters;
  const auto is_set = [&](const char* name) { return provider.params.contains(name); };
  for (const auto& [name, value] : provider.params.items())
    if (value.is_string() && !is_setting(name))
      parameters.emplace_back(name, value.get<std::string>());
  if (provider.issuer == "https://accounts.google.com") {
    // Google hands out refresh tokens for these instead of the offline_access scope.
    if (!is_set("access_type")) parameters.emplace_back("access_type", "offline");
    if (!is_set("prompt")) parameters.emplace_back("prompt", "consent");
  } else if (!is_set("prompt") &&
             std::find(scopes.begin(), scopes.end(), "offline_access") != scopes.end()) {
    // OpenID Connect Core 11: offline access is granted after an explicit consent.
    parameters.emplace_back("prompt", "consent");
  }
  return parameters;
}

namespace {

/// The method that the registration settles; nothing where the metadata has its say.
std::optional<ClientAuthMethod> configured_auth(const Provider& provider, bool has_secret) {
  if (!has_secret) return ClientAuthMethod::none;
  if (!provider.auth_header.empty()) return client_auth_method(provider.auth_header);
  if (provider.grant() == GrantType::jwt_bearer) return ClientAuthMethod::none;
  return std::nullopt;
}

bool contains(const std::vector<std::string>& list, const char* word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

}  // namespace

Result<ProviderEndpoints> resolve_endpoints(const Provider& provider, bool has_secret,
                                            const std::optional<ProviderMetadata>& metadata) {
  ProviderEndpoints endpoints;
  endpoints.issuer = provider.issuer;
  endpoints.client_id = provider.client_id;
  endpoints.addresses = provider.addresses();
  endpoints.allow_insecure_http = provider.allow_insecure_http;
  std::vector<std::string> methods;
  if (metadata) {
    endpoints.authorization = metadata->authorization_endpoint;
    endpoints.token = metadata->token_endpoint;
    endpoints.jwks = metadata->jwks_uri;
    endpoints.userinfo = metadata->userinfo_endpoint;
    endpoints.revocation = metadata->revocation_endpoint;
    endpoints.device_authorization = metadata->device_authorization_endpoint;
    endpoints.id_token_algorithms = metadata->id_token_algorithms;
    endpoints.sends_iss = metadata->sends_iss;
    methods = metadata->token_endpoint_auth_methods;
  }
  if (!provider.auth_url.empty()) endpoints.authorization = provider.auth_url;
  if (!provider.token_url.empty()) endpoints.token = provider.token_url;
  if (provider.user_info_endpoint.starts_with("http"))
    endpoints.userinfo = provider.user_info_endpoint;
  if (provider.user_info_endpoint.starts_with("/") && !provider.api_base_url.empty())
    endpoints.userinfo = provider.api_base_url + provider.user_info_endpoint;
  if (const auto revocation = text_member(provider.params, "revocation_endpoint"))
    endpoints.revocation = *revocation;
  if (const auto device = text_member(provider.params, "device_authorization_endpoint"))
    endpoints.device_authorization = *device;
  NEXUS_TRY(endpoints.dialect, read_dialect(provider.params));
  endpoints.refresh = endpoints.dialect.refresh_url;
  endpoints.grant = provider.grant();
  const bool by_code = endpoints.grant == GrantType::authorization_code;
  if (by_code && !endpoints.dialect.pkce && !has_secret)
    return Error{ErrorCode::provider_misconfigured,
                 "without PKCE a client needs a secret: else whoever sees a code can use it",
                 "give the client secret, or leave the setting pkce out"};
  if ((by_code && endpoints.authorization.empty()) || endpoints.token.empty())
    return Error{ErrorCode::provider_misconfigured,
                 "provider " + provider.name + " has no authorization or token endpoint",
                 "give --issuer URL, or --auth-url URL --token-url URL"};
  if (endpoints.grant == GrantType::device_code && endpoints.device_authorization.empty())
    return Error{ErrorCode::provider_misconfigured,
                 "provider " + provider.name + " has no device authorization endpoint",
                 "give it: --param device_authorization_endpoint=URL"};
  endpoints.client_auth =
      configured_auth(provider, has_secret)
          .value_or(!methods.empty() && !contains(methods, "client_secret_basic") &&
                            contains(methods, "client_secret_post")
                        ? ClientAuthMethod::client_secret_post
                        : ClientAuthMethod::client_secret_basic);
  return endpoints;
}

Result<ProviderEndpoints> pinned_endpoints(const std::string& pinned, const Provider& provider,
                                           bool has_secret) {
  auto endpoints = endpoints_from_json(Json::parse(pinned));
  NEXUS_TRY(endpoints.dialect, read_dialect(provider.params));
  endpoints.grant = provider.grant();
  if (endpoints.client_auth == ClientAuthMethod::private_key_jwt && !provider.signs())
    endpoints.client_auth = ClientAuthMethod::client_secret_basic;  // it has a secret by now
  endpoints.client_auth = configured_auth(provider, has_secret).value_or(endpoints.client_auth);
  return endpoints;
}

}  // namespace nexus
