#include "tests/support/provider_fields.h"

namespace nexus::test {

nlohmann::json provider_fields(const std::string& name) {
  const auto base = "https://" + name + ".example";
  return {{"name", name},
          {"client_id", "client-1"},
          {"client_secret", "s3cret"},
          {"auth_url", base + "/authorize"},
          {"token_url", base + "/token"},
          {"scopes", {"read", "write"}},
          {"params", {{"revocation_endpoint", base + "/revoke"}}}};
}

nlohmann::json openid_fields(const std::string& name) {
  return {{"name", name},
          {"client_id", "client-1"},
          {"client_secret", "s3cret"},
          {"issuer", "https://" + name + ".example"},
          {"scopes", {"openid"}}};
}

nlohmann::json key_fields(const std::string& name) {
  return {{"name", name},
          {"auth_type", "api_key"},
          {"api_base_url", "https://" + name + ".example"},
          {"params", {{"validation", {{"skip", true}}}}}};
}

}  // namespace nexus::test
