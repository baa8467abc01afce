#include "common/api/provider.h"

#include <algorithm>

namespace nexus::api {
bool Provider::has_key_to_register() const {
  return !public_jwk.empty() && auth_header == "private_key_jwt";
}

std::string Provider::catalogue_entry() const {
  const auto found = params.find("catalog_entry");
  return found == params.end() ? "" : plain_text(found->second);
}

Result<void> read(const Reader& from, Provider& p) {
  p.id = from.text("id");
  for (const auto& [name, member] : profile_texts()) p.*member = from.text(name);
  for (const auto& [name, member] : profile_switches()) p.*member = from.flag(name);
  p.grant_type = from.text("grant_type");
  p.redirect_uri = from.text("redirect_uri");
  p.client_secret_fingerprint = from.text("client_secret_fingerprint");
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
  to.member("id", p.id);
  for (const auto& [name, member] : profile_texts()) to.member(name, p.*member);
  for (const auto& [name, member] : profile_switches()) to.flag(name, p.*member);
  to.member("auth_type", word(p.auth_type))
      .member("grant_type", p.grant_type)
      .member("redirect_uri", p.redirect_uri)
      .member("client_secret_fingerprint", p.client_secret_fingerprint)
      .member("scopes", p.scopes)
      .begin("params");
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
