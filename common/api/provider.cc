#include "common/api/provider.h"

#include <algorithm>
#include <utility>

namespace nexus::api {
namespace {

constexpr std::pair<const char*, std::string Provider::*> kTexts[] = {
    {"id", &Provider::id},
    {"name", &Provider::name},
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
    {"redirect_path", &Provider::redirect_path},
    {"redirect_uri", &Provider::redirect_uri},
    {"client_secret_fingerprint", &Provider::client_secret_fingerprint}};

constexpr std::pair<const char*, bool Provider::*> kSwitches[] = {
    {"enable_discovery", &Provider::enable_discovery},
    {"allow_insecure_http", &Provider::allow_insecure_http},
    {"allow_private_network", &Provider::allow_private_network}};

}  // namespace

bool Provider::needs_redirect() const {
  return is_oauth() && (grant_type.empty() || grant_type == "authorization_code");
}

bool Provider::has_key_to_register() const {
  return !public_jwk.empty() && auth_header == "private_key_jwt";
}

std::string Provider::catalogue_entry() const {
  const auto found = params.find("catalog_entry");
  if (found == params.end() || found->second.size() < 2) return {};
  return found->second.substr(1, found->second.size() - 2);  // a name needs no escapes
}

Result<void> read(const Reader& from, Provider& p) {
  for (const auto& [name, member] : kTexts) p.*member = from.text(name);
  for (const auto& [name, member] : kSwitches) p.*member = from.flag(name);
  const auto type = from.word<AuthType>("auth_type");
  if (p.id.empty() || !type) return unknown_answer();
  p.auth_type = *type;
  p.scopes = from.texts("scopes");
  from.members("params", [&p](const std::string& name, std::string json) {
    p.params[name] = std::move(json);
  });
  p.public_jwk = from.json("public_jwk");
  p.message = from.text("message");
  p.warning = from.text("warning");
  return {};
}

void write(JsonWriter& to, const Provider& p) {
  for (const auto& [name, member] : kTexts) to.member(name, p.*member);
  for (const auto& [name, member] : kSwitches) to.flag(name, p.*member);
  to.member("auth_type", word(p.auth_type)).member("scopes", p.scopes).begin("params");
  for (const auto& [name, json] : p.params) to.member_json(name, json);
  to.end();
  if (!p.public_jwk.empty()) to.member_json("public_jwk", p.public_jwk);
  if (!p.message.empty()) to.member("message", p.message);
  if (!p.warning.empty()) to.member("warning", p.warning);
}

Result<void> read(const Reader& from, RedirectUri& into) {
  into = {from.text("redirect_path"), from.text("redirect_uri")};
  return {};
}

void write(JsonWriter& to, const RedirectUri& redirect) {
  to.member("redirect_path", redirect.path).member("redirect_uri", redirect.uri);
}

bool ProviderTest::ok() const {
  return std::all_of(checks.begin(), checks.end(), [](const auto& check) { return check.ok; });
}

Result<void> read(const Reader& from, ProviderTest& into) {
  into.name = from.text("name");
  from.each("checks", [&into](const Reader& check) {
    into.checks.push_back(
        {check.text("check"), check.flag("ok"), check.text("detail"), check.text("hint")});
  });
  return {};
}

void write(JsonWriter& to, const ProviderTest& test) {
  to.member("name", test.name).flag("ok", test.ok()).begin_list("checks");
  for (const auto& check : test.checks)
    to.begin()
        .member("check", check.name)
        .flag("ok", check.ok)
        .member("detail", check.detail)
        .member("hint", check.hint)
        .end();
  to.end_list();
}

void write(JsonWriter& to, const ProviderHealth& health) {
  to.member("id", health.id)
      .member("name", health.name)
      .member("health_status", health.health_status)
      .member_or_null("last_health_check_at", health.checked_at)
      .member("health_message", health.message);
}

}  // namespace nexus::api
