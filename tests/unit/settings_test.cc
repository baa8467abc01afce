#include "daemon/provider/settings.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/catalogue.h"
#include "common/json.h"
#include "daemon/bundle/bundled.h"
#include "daemon/provider/registration.h"
#include "tests/support/catch.h"

using namespace nexus;

// The one table of settings is what registration, `provider show`, manifests, the catalogue, the
// manual and openapi.yaml go by.

namespace {

using Kind = Setting::Kind;

std::string text_of(const std::string& path) {
  std::ifstream file(std::string(NEXUS_SOURCE) + "/" + path);
  REQUIRE(file);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Values that the setting takes.
std::vector<Json> examples(const Setting& setting) {
  const std::string name = setting.name;
  if (name == "scope_separator") return {","};
  if (name == "authorization_names") return {{{"client_id", "client_key"}}};
  if (name == "algo") return {"sha1"};
  if (name == "encoding") return {"base64"};
  if (name == "service" || name == "region") return {"s3"};
  if (name == "header_name") return {"X-Key"};
  if (name == "auth_strategy")
    return {{{"type", "header"}, {"config", {{"header_name", "X-Key"}}}}};
  if (name == "credential_schema")
    return {{{"type", "object"}, {"properties", {{"api_key", {{"type", "string"}}}}}}};
  if (name == "validation") return {{{"skip", true}}};
  switch (setting.kind) {
    case Kind::text:
      return {"https://as.example/x"};
    case Kind::flag:
      return {true, false};
    case Kind::number:
      return {5};
    case Kind::words: {
      std::vector<Json> words;
      for (const auto* word : setting.words) words.emplace_back(word);
      return words;
    }
    case Kind::texts:
      return {{"a.example"}};
    case Kind::map:
      return {{{"a", "b"}}};
    case Kind::object:
      break;
  }
  return {Json::object()};
}

const char* auth_type_for(const Setting& setting) {
  const std::string name = setting.name;
  if (name == "service" || name == "region") return "aws_sigv4";
  if (name == "algo" || name == "encoding" || name == "secret_field") return "hmac_payload";
  if (name == "credential_field") return "api_key";
  if (name.ends_with("_field")) return "basic_auth";
  return setting.whom == Setting::For::oauth2 ? "oauth2" : "api_key";
}

Result<ProviderRegistration> registered(const Setting& setting, const Json& value) {
  const std::string type = auth_type_for(setting);
  Json params = {{setting.name, value}};
  if (type == "aws_sigv4" && !params.contains("service")) params["service"] = "s3";
  if (type == "hmac_payload") params["header_name"] = "X-Signature";
  if (std::string(setting.name) == "credential_field")
    params["credential_schema"] = {
        {"type", "object"}, {"properties", {{value.get<std::string>(), {{"type", "string"}}}}}};
  Json body{{"name", "demo"},
            {"auth_type", type},
            {"client_id", "c"},
            {"client_secret", "s"},
            {"issuer", "https://as.example"},
            {"auth_url", "https://as.example/a"},
            {"token_url", "https://as.example/t"},
            {"params", params}};
  if (type != "oauth2") body.erase("client_secret");
  return read_registration(body);
}

}  // namespace

TEST_CASE("what a setting says is kept, shown and not sent as something else", "[settings]") {
  for (const auto& setting : provider_settings()) {
    INFO(setting.name);
    for (auto value : examples(setting)) {
      const std::string name = setting.name;
      // A field's name is one of the schema's, whatever it is.
      if (name.ends_with("_field")) value = "field";
      const auto registration = registered(setting, value);
      INFO((registration ? "" : registration.error().message));
      REQUIRE(registration);
      const auto& provider = registration->provider;
      CHECK_FALSE(provider.settings.authorization_parameters.contains(name));
      CHECK_FALSE(provider.settings.others.contains(name));
      const auto profile = to_json(provider);
      CHECK(profile.at("params").at(name) == value);
      const auto again = provider_from_json(profile);
      REQUIRE(again);
      CHECK(to_json(*again) == profile);
      // In a bundle as well, where nothing unknown passes.
      const auto secret = provider.is_static() ? "" : "s";
      const auto bundled = registration_of({"p-1", "demo", to_text(profile), Secret(secret)});
      INFO((bundled ? "" : bundled.error().message));
      REQUIRE(bundled);
      CHECK(to_json(bundled->provider) == profile);
    }
  }
}

TEST_CASE("a setting of the wrong kind is refused by its name", "[settings]") {
  for (const auto& setting : provider_settings()) {
    INFO(setting.name);
    const Json wrong = setting.kind == Kind::text || setting.kind == Kind::words ? Json(5)
                       : setting.kind == Kind::number                            ? Json("many")
                                                                                 : Json("wrong");
    const auto registration =
        registered(setting, std::string(setting.name) == "credential_field" ? Json("x\n") : wrong);
    REQUIRE_FALSE(registration);
    CHECK(registration.error().message.find(setting.name) != std::string::npos);
  }
}

TEST_CASE("other texts go into the authorization request, all else is given back", "[settings]") {
  const Json params{{"access_type", "offline"}, {"odd", {1, 2}}, {"service", "mail"}};
  const auto settings = read_settings(params, true);
  REQUIRE(settings);
  CHECK(settings->authorization_parameters ==
        std::map<std::string, std::string>{{"access_type", "offline"}, {"service", "mail"}});
  CHECK(to_json(*settings) == params);
}

TEST_CASE("the manual and openapi.yaml know each setting", "[settings]") {
  const auto manual = text_of("man/nexus-providers.5");
  const auto schema = YAML::LoadFile(
      std::string(NEXUS_SOURCE) +
      "/share/openapi.yaml")["components"]["schemas"]["ProviderSettings"]["properties"];
  REQUIRE(schema);
  constexpr const char* kTypes[] = {"string", "boolean", "integer", "string",
                                    "array",  "object",  "object"};
  for (const auto& setting : provider_settings()) {
    INFO(setting.name);
    CHECK(manual.find(setting.name) != std::string::npos);
    const auto property = schema[setting.name];
    REQUIRE(property);
    CHECK(property["type"].as<std::string>() == kTypes[static_cast<std::size_t>(setting.kind)]);
    for (const auto* word : setting.words) {
      bool listed = false;
      for (const auto& each : property["enum"]) listed = listed || each.as<std::string>() == word;
      CHECK(listed);
    }
  }
  // And nothing that is no setting any more.
  for (const auto& property : schema) {
    const auto name = property.first.as<std::string>();
    INFO(name);
    CHECK(std::any_of(provider_settings().begin(), provider_settings().end(),
                      [&](const Setting& setting) { return name == setting.name; }));
  }
}

TEST_CASE("settings that are objects or lists can be given as texts", "[settings]") {
  Json params{{"token_params", R"({"audience":"a"})"}, {"claims", R"({"id_token":{}})"}};
  REQUIRE(read_texts_as_json(params));
  CHECK(params["token_params"] == Json{{"audience", "a"}});
  CHECK(params["claims"].is_string());  // of the authorization request: a text for the provider
  for (const auto* odd : {"audience=a", "7", "{"}) {
    Json bad{{"token_params", odd}};
    const auto read = read_texts_as_json(bad);
    REQUIRE_FALSE(read);
    CHECK(read.error().field == "params.token_params");
  }
}

TEST_CASE("the catalogue uses settings and texts, nothing that is ignored", "[settings]") {
  std::vector<Error> problems;
  for (const auto& entry : cli::Catalogue({NEXUS_CATALOGUE}).all(problems)) {
    INFO(entry.name);
    const auto settings =
        read_settings(entry.profile->value("params", Json::object()), entry.is_oauth());
    REQUIRE(settings);
    CHECK(settings->others.empty());
  }
}

TEST_CASE("a parameter that is named almost like a setting is told, other ones are not",
          "[settings]") {
  const auto told = [](const Json& params, bool oauth2) {
    const auto settings = read_settings(params, oauth2);
    REQUIRE(settings);
    return misspelt_setting(*settings);
  };
  CHECK(told({{"scope_seperator", ","}}, true) ==
        "there is no setting scope_seperator; did you mean scope_separator?");
  CHECK(told({{"header_nane", "X-Key"}}, false) ==
        "there is no setting header_nane; did you mean header_name?");
  for (const char* parameter : {"access_type", "prompt", "login_hint", "audience", "resource",
                                "acr_values", "hd", "tenant", "display", "duration"}) {
    CAPTURE(parameter);
    CHECK(told({{parameter, "x"}}, true).empty());
  }
}
