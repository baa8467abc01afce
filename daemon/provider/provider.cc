#include "daemon/provider/provider.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/json_fields.h"
#include "common/text.h"

namespace nexus {
namespace {

bool contains(const std::vector<std::string>& list, const char* text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

}  // namespace

Json to_json(const Provider& provider) {
  const bool by_code = provider.grant == GrantType::authorization_code;
  Json json{{"id", provider.id},
            {"auth_type", word(provider.auth_type)},
            {"grant_type", by_code ? "" : to_text(provider.grant)},
            {"scopes", provider.scopes},
            {"params", to_json(provider.settings)}};
  for (const auto& [name, member] : api::profile_texts()) json[name] = provider.*member;
  for (const auto& [name, member] : api::profile_switches()) json[name] = provider.*member;
  return json;
}

api::Provider describe(const Provider& provider) {
  api::Provider told{static_cast<const api::ProviderProfile&>(provider)};
  told.warning = provider.damage;
  if (provider.grant != GrantType::authorization_code) told.grant_type = to_text(provider.grant);
  const auto params = to_json(provider.settings);
  for (const auto& [name, value] : params.items()) told.params[name] = to_text(value);
  return told;
}

Result<Provider> provider_from_json(const Json& profile) {
  const auto damaged = [](const char* what) { return Error{ErrorCode::internal_error, what}; };
  if (!profile.is_object()) return damaged("it is no object");
  Provider provider;
  const JsonFields fields(profile);
  NEXUS_CHECK(fields.text("id", provider.id));
  for (const auto& [name, member] : api::profile_texts())
    NEXUS_CHECK(fields.text(name, provider.*member));
  for (const auto& [name, member] : api::profile_switches())
    NEXUS_CHECK(fields.flag(name, provider.*member));
  NEXUS_CHECK(fields.texts("scopes", provider.scopes));
  std::string auth_type = word(AuthType::oauth2);
  std::string grant;
  NEXUS_CHECK(fields.text("auth_type", auth_type));
  NEXUS_CHECK(fields.text("grant_type", grant));
  const auto type = from_word<AuthType>(auth_type);
  const auto known_grant = grant_of(grant);
  if (!type || !known_grant) return damaged("its type or grant is unknown");
  provider.auth_type = *type;
  provider.grant = *known_grant;
  NEXUS_TRY(const auto* params, fields.object("params"));
  const auto nothing = Json::object();
  NEXUS_CHECK(settle(provider, params ? *params : nothing));
  return provider;
}

Result<void> settle(Provider& provider, const Json& params) {
  NEXUS_TRY(provider.settings, read_settings(params, !provider.is_static()));
  if (!provider.is_static()) return {};
  NEXUS_TRY(auto api,
            read_static_api({word(provider.auth_type), provider.auth_header, provider.api_base_url,
                             provider.user_info_endpoint, params}));
  provider.api = std::make_shared<const StaticApi>(std::move(api));
  return {};
}

std::vector<std::pair<std::string, std::string>> authorization_parameters(
    const Provider& provider, const std::vector<std::string>& scopes) {
  const auto& own = provider.settings.authorization_parameters;
  std::vector<std::pair<std::string, std::string>> parameters(own.begin(), own.end());
  // OpenID Connect Core 11: offline access is granted after an explicit consent.
  if (!own.contains("prompt") && contains(scopes, "offline_access"))
    parameters.emplace_back("prompt", "consent");
  return parameters;
}

namespace {

/// The method that the registration settles; nothing where the metadata has its say.
std::optional<ClientAuthMethod> configured_auth(const Provider& provider, bool has_secret) {
  if (!has_secret) return ClientAuthMethod::none;
  if (!provider.auth_header.empty()) return client_auth_method(provider.auth_header);
  if (provider.grant == GrantType::jwt_bearer) return ClientAuthMethod::none;
  return std::nullopt;
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
  const auto& settings = provider.settings;
  endpoints.sends_iss = endpoints.sends_iss || settings.sends_iss;
  if (!settings.revocation_endpoint.empty()) endpoints.revocation = settings.revocation_endpoint;
  if (!settings.device_authorization_endpoint.empty())
    endpoints.device_authorization = settings.device_authorization_endpoint;
  endpoints.refresh = settings.dialect.refresh_url;
  const bool by_code = provider.grant == GrantType::authorization_code;
  if (by_code && settings.dialect.pkce == Dialect::Pkce::none && !has_secret)
    return Error{ErrorCode::provider_misconfigured,
                 "without PKCE a client needs a secret: else whoever sees a code can use it",
                 "give the client secret, or leave the setting pkce out"};
  if ((by_code && endpoints.authorization.empty()) || endpoints.token.empty())
    return Error{ErrorCode::provider_misconfigured,
                 "provider " + provider.name + " has no authorization or token endpoint",
                 "give --issuer URL, or --auth-url URL --token-url URL"};
  if (provider.grant == GrantType::device_code && endpoints.device_authorization.empty())
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
  NEXUS_TRY(auto endpoints, endpoints_from_text(pinned));
  if (endpoints.client_auth == ClientAuthMethod::private_key_jwt && !provider.signs())
    endpoints.client_auth = ClientAuthMethod::client_secret_basic;  // it has a secret by now
  endpoints.client_auth = configured_auth(provider, has_secret).value_or(endpoints.client_auth);
  return endpoints;
}

}  // namespace nexus
