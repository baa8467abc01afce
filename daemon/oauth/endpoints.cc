#include "daemon/oauth/endpoints.h"

#include <nlohmann/json.hpp>

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

nlohmann::json to_json(const ProviderEndpoints& e) {
  return {{"issuer", e.issuer},
          {"authorization", e.authorization},
          {"token", e.token},
          {"device_authorization", e.device_authorization},
          {"refresh", e.refresh},
          {"jwks", e.jwks},
          {"userinfo", e.userinfo},
          {"revocation", e.revocation},
          {"id_token_algorithms", e.id_token_algorithms},
          {"sends_iss", e.sends_iss},
          {"client_id", e.client_id},
          {"client_auth", to_text(e.client_auth)},
          {"loopback", e.addresses.loopback},
          {"private_networks", e.addresses.private_networks},
          {"allow_insecure_http", e.allow_insecure_http}};
}

ProviderEndpoints endpoints_from_json(const nlohmann::json& json) {
  ProviderEndpoints e;
  e.issuer = json.at("issuer");
  e.authorization = json.at("authorization");
  e.token = json.at("token");
  e.device_authorization = json.value("device_authorization", "");
  e.refresh = json.value("refresh", "");
  e.jwks = json.at("jwks");
  e.userinfo = json.at("userinfo");
  e.revocation = json.at("revocation");
  e.id_token_algorithms = json.at("id_token_algorithms").get<std::vector<std::string>>();
  e.sends_iss = json.at("sends_iss");
  e.client_id = json.at("client_id");
  e.client_auth =
      client_auth_method(json.at("client_auth").get<std::string>()).value_or(e.client_auth);
  e.addresses = {json.at("loopback"), json.at("private_networks")};
  e.allow_insecure_http = json.at("allow_insecure_http");
  return e;
}

}  // namespace nexus
