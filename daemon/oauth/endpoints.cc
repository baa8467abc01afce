#include "daemon/oauth/endpoints.h"

#include "common/json_fields.h"

namespace nexus {

namespace {

constexpr std::pair<ClientAuthMethod, const char*> kMethods[] = {
    {ClientAuthMethod::client_secret_basic, "client_secret_basic"},
    {ClientAuthMethod::client_secret_post, "client_secret_post"},
    {ClientAuthMethod::private_key_jwt, "private_key_jwt"},
    {ClientAuthMethod::none, "none"}};

struct GrantName {
  GrantType grant;
  const char* name;
  const char* wire;
};
constexpr GrantName kGrants[] = {
    {GrantType::authorization_code, "authorization_code", "authorization_code"},
    {GrantType::device_code, "device_code", "urn:ietf:params:oauth:grant-type:device_code"},
    {GrantType::client_credentials, "client_credentials", "client_credentials"},
    {GrantType::jwt_bearer, "jwt_bearer", "urn:ietf:params:oauth:grant-type:jwt-bearer"}};

}  // namespace

const char* to_text(ClientAuthMethod method) {
  for (const auto& [known, name] : kMethods)
    if (known == method) return name;
  return "none";
}

std::optional<ClientAuthMethod> client_auth_method(std::string_view name) {
  for (const auto& [method, known] : kMethods)
    if (known == name) return method;
  return std::nullopt;
}

const char* to_text(GrantType grant) {
  for (const auto& known : kGrants)
    if (known.grant == grant) return known.name;
  return "authorization_code";
}

const char* wire_name(GrantType grant) {
  for (const auto& known : kGrants)
    if (known.grant == grant) return known.wire;
  return "authorization_code";
}

std::optional<GrantType> grant_of(std::string_view name) {
  if (name.empty()) return GrantType::authorization_code;
  for (const auto& known : kGrants)
    if (known.name == name || known.wire == name) return known.grant;
  return std::nullopt;
}

namespace {

constexpr std::pair<const char*, std::string ProviderEndpoints::*> kTexts[] = {
    {"issuer", &ProviderEndpoints::issuer},
    {"authorization", &ProviderEndpoints::authorization},
    {"token", &ProviderEndpoints::token},
    {"device_authorization", &ProviderEndpoints::device_authorization},
    {"refresh", &ProviderEndpoints::refresh},
    {"jwks", &ProviderEndpoints::jwks},
    {"userinfo", &ProviderEndpoints::userinfo},
    {"revocation", &ProviderEndpoints::revocation},
    {"client_id", &ProviderEndpoints::client_id}};

}  // namespace

std::string to_text(const ProviderEndpoints& e) {
  JsonWriter json;
  json.begin();
  for (const auto& [name, member] : kTexts) json.member(name, e.*member);
  json.member("id_token_algorithms", e.id_token_algorithms)
      .flag("sends_iss", e.sends_iss)
      .member("client_auth", to_text(e.client_auth))
      .flag("loopback", e.addresses.loopback)
      .flag("private_networks", e.addresses.private_networks)
      .flag("allow_insecure_http", e.allow_insecure_http);
  return json.end().take();
}

Result<ProviderEndpoints> endpoints_from_text(const std::string& text) {
  const auto parsed = JsonFields::parse(text);
  const auto damaged = [] {
    return Error{ErrorCode::internal_error, "the record of where its tokens belong is damaged",
                 "connect it anew: nexus connect PROVIDER --replace CONNECTION"};
  };
  if (!parsed) return damaged();
  const auto& fields = *parsed;
  ProviderEndpoints e;
  for (const auto& [name, member] : kTexts)
    if (!fields.text(name, e.*member)) return damaged();
  std::string client_auth;
  if (!fields.texts("id_token_algorithms", e.id_token_algorithms) ||
      !fields.flag("sends_iss", e.sends_iss) || !fields.text("client_auth", client_auth) ||
      !fields.flag("loopback", e.addresses.loopback) ||
      !fields.flag("private_networks", e.addresses.private_networks) ||
      !fields.flag("allow_insecure_http", e.allow_insecure_http) || e.token.empty())
    return damaged();
  e.client_auth = client_auth_method(client_auth).value_or(e.client_auth);
  return e;
}

}  // namespace nexus
