#include "daemon/oauth/endpoints.h"

#include <nlohmann/json.hpp>

namespace nexus {

const char* to_text(ClientAuthMethod method) {
  switch (method) {
    case ClientAuthMethod::client_secret_basic:
      return "client_secret_basic";
    case ClientAuthMethod::client_secret_post:
      return "client_secret_post";
    case ClientAuthMethod::none:
      return "none";
  }
  return "none";
}

nlohmann::json to_json(const ProviderEndpoints& e) {
  return {{"issuer", e.issuer},
          {"authorization", e.authorization},
          {"token", e.token},
          {"refresh", e.refresh},
          {"jwks", e.jwks},
          {"userinfo", e.userinfo},
          {"revocation", e.revocation},
          {"id_token_algorithms", e.id_token_algorithms},
          {"sends_iss", e.sends_iss},
          {"client_id", e.client_id},
          {"client_auth", to_text(e.client_auth)},
          {"loopback", e.reach.loopback},
          {"private_networks", e.reach.private_networks},
          {"allow_insecure_http", e.allow_insecure_http}};
}

ProviderEndpoints endpoints_from_json(const nlohmann::json& json) {
  ProviderEndpoints e;
  e.issuer = json.at("issuer");
  e.authorization = json.at("authorization");
  e.token = json.at("token");
  e.refresh = json.value("refresh", "");
  e.jwks = json.at("jwks");
  e.userinfo = json.at("userinfo");
  e.revocation = json.at("revocation");
  e.id_token_algorithms = json.at("id_token_algorithms").get<std::vector<std::string>>();
  e.sends_iss = json.at("sends_iss");
  e.client_id = json.at("client_id");
  for (const auto method : {ClientAuthMethod::client_secret_basic,
                            ClientAuthMethod::client_secret_post, ClientAuthMethod::none})
    if (json.at("client_auth") == to_text(method)) e.client_auth = method;
  e.reach = {json.at("loopback"), json.at("private_networks")};
  e.allow_insecure_http = json.at("allow_insecure_http");
  return e;
}

}  // namespace nexus
