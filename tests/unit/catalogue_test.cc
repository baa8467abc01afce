#include "cli/catalogue.h"
#include "cli/data_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "common/json.h"
#include "daemon/oauth/authorization_request.h"
#include "daemon/provider/registration.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"

using namespace nexus;
using namespace std::string_literals;
using cli::Catalogue;
using cli::CatalogueEntry;

namespace {

std::map<std::string, std::string> examples(const CatalogueEntry& entry) {
  std::map<std::string, std::string> values;
  for (const auto& variable : entry.variables)
    values[variable.name] = !variable.choices.empty() ? variable.choices[0]
                            : variable.name == "port" ? "8443"
                                                      : "acme";
  return values;
}

Result<Provider> registered(const CatalogueEntry& entry,
                            const std::map<std::string, std::string>& values) {
  NEXUS_TRY(auto body, entry.filled_in(values));
  body["name"] = entry.name;
  if (entry.is_oauth()) body["client_id"] = "client-1", body["client_secret"] = "secret";
  NEXUS_TRY(auto registration, read_registration(body));
  return std::move(registration.provider);
}

CatalogueEntry read(const std::string& text) {
  auto entry = cli::read_catalogue_entry(text, "demo", "demo.toml");
  REQUIRE(entry);
  return *std::move(entry);
}

std::string refusal(const std::string& text) {
  const auto entry = cli::read_catalogue_entry(text, "demo", "demo.toml");
  return entry ? std::string() : entry.error().message;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("every entry of the catalogue can be registered and asked for consent", "[catalogue]") {
  std::vector<Error> problems;
  const auto entries = Catalogue({NEXUS_CATALOGUE}).all(problems);
  for (const auto& problem : problems) FAIL_CHECK(problem.message);
  CHECK(entries.size() > 600);
  int urls = 0;
  for (const auto& entry : entries) {
    INFO(entry.name);
    for (const auto& values : {examples(entry), std::map<std::string, std::string>()}) {
      const bool complete =
          std::all_of(entry.variables.begin(), entry.variables.end(), [&](const auto& variable) {
            return values.contains(variable.name) || variable.optional ||
                   !variable.fallback.empty();
          });
      if (!complete) continue;
      const auto provider = registered(entry, values);
      INFO((provider ? "" : provider.error().message));
      CHECK(provider);
      if (!provider) continue;
      CHECK(misspelt_setting(provider->settings).empty());
      if (provider->is_static()) {
        CHECK(provider->api);
        continue;
      }
      const auto endpoints = resolve_endpoints(*provider, true, std::nullopt);
      REQUIRE(endpoints);
      if (is_unattended(provider->grant)) {
        CHECK(endpoints->token.starts_with("https://"));
        continue;
      }
      AuthorizationRequest request;
      request.redirect_uri = "http://127.0.0.1:8090/auth/callback";
      request.scopes = provider->scopes;
      request.state = "S";
      const auto& dialect = provider->settings.dialect;
      if (dialect.pkce == Dialect::Pkce::s256) request.code_challenge = "C";
      request.extra = authorization_parameters(*provider, provider->scopes);
      const auto url = authorization_url(*endpoints, dialect, request);
      CHECK(url.starts_with("https://"));
      CHECK(has(url, "state=S"));
      CHECK(has(url, "client-1"));
      CHECK(has(url, "127.0.0.1%3A8090"));
      CHECK_FALSE(has(url, "{"));
      CHECK_FALSE(has(url, "%7B"));
      ++urls;
    }
  }
  CHECK(urls > 250);
}

TEST_CASE("variables cannot lead anywhere else", "[catalogue]") {
  const auto entry = read(R"(
auth_url = "https://{shop}.example.com/authorize"
token_url = "https://{shop}.example.com/token"
[variables.shop]
title = "Shop"
suffix = ".example.com"
)");
  const auto host = [&](const std::string& value) {
    const auto filled = entry.filled_in({{"shop", value}});
    return filled ? filled->at("token_url").get<std::string>() : "refused";
  };
  CHECK(host("acme") == "https://acme.example.com/token");
  CHECK(host("acme.example.com") == "https://acme.example.com/token");
  CHECK(host("https://acme.example.com/") == "https://acme.example.com/token");
  for (const char* bad : {"", "evil.net/", "evil.net/x", "a@evil.net", "evil.net:1", "evil.net#",
                          "evil.net?", "..", "a..b", "-x", "ä", "a b", "{x}", "a\\b"})
    if (std::string(bad) != "evil.net/") CHECK(host(bad) == "refused");
  CHECK(host("evil.net/") == "https://evil.net.example.com/token");
  CHECK_FALSE(entry.filled_in({}));
  CHECK(entry.filled_in({{"shop", "acme"}, {"other", "x"}}).error().hint ==
        "see: nexus provider show demo");
  CHECK(entry.filled_in({{"shpo", "acme"}}).error().hint == "did you mean: --var shop=…");
}

TEST_CASE("an optional variable replaces what it is for", "[catalogue]") {
  auto salesforce = Catalogue({NEXUS_CATALOGUE}).find("salesforce");
  REQUIRE((salesforce && *salesforce));
  CHECK((*salesforce)->filled_in({})->at("token_url") ==
        "https://login.salesforce.com/services/oauth2/token");
  CHECK((*salesforce)->filled_in({{"hostname", "acme.my.salesforce.com"}})->at("token_url") ==
        "https://acme.my.salesforce.com/services/oauth2/token");
}

TEST_CASE("settings that an optional variable brings stand beside the entry's", "[catalogue]") {
  const auto entry = read(
      "auth_url = \"https://a.example\"\ntoken_url = \"https://t.example\"\n"
      "[params]\naudience = \"a\"\npkce = \"none\"\n"
      "[variables.region]\noptional = true\n"
      "[variables.region.replaces.params]\naudience = \"{region}\"\n");
  const auto params = entry.filled_in({{"region", "eu"}})->at("params");
  CHECK(params == Json{{"audience", "eu"}, {"pkce", "none"}, {"catalog_entry", "demo"}});
  CHECK(has(refusal("[variables.x]\noptional = true\n[variables.x.replaces]\nparams = \"y\"\n"),
            "demo.toml:4: variables.x.replaces.params has to be an object"));
}

TEST_CASE("an entry that is no file is refused, and not waited for", "[catalogue]") {
  const test::TemporaryDirectory directory;
  const auto entry = directory.path() + "/demo.toml";
  const Catalogue catalogue({directory.path()});
  const auto refused = [&] {
    const auto found = catalogue.find("demo");
    return found ? std::string() : found.error().message;
  };
  REQUIRE(mkfifo(entry.c_str(), 0600) == 0);
  CHECK(has(refused(), "it is no regular file"));
  REQUIRE(unlink(entry.c_str()) == 0);
  REQUIRE(symlink("/dev/zero", entry.c_str()) == 0);
  CHECK(has(refused(), "it is no regular file"));
  REQUIRE(unlink(entry.c_str()) == 0);
  std::ofstream(entry).close();
  CHECK(has(refused(), "it is empty"));
}

TEST_CASE("a bad entry is refused with its line", "[catalogue]") {
  CHECK(has(refusal("auth_url = \"https://a.example\"\ntokenurl = \"x\"\n"), "demo.toml:2"));
  CHECK(has(refusal("auth_url = \"https://a.example\"\ntokenurl = \"x\"\n"), "tokenurl"));
  CHECK(has(refusal("x = [\n"), "demo.toml:"));
  CHECK(has(refusal("\n[client]\nconsole_url = 7\n"), "demo.toml:3"));
  CHECK(has(refusal("quirks = \"one\"\n"), "list"));
  CHECK(has(refusal("display_name = \"a\\u0007b\"\n"), "control"));
  CHECK(has(refusal("docs_url = 2026-01-01\n"), "date"));
  CHECK(has(refusal("auth_type = 7\n"), "demo.toml:1: auth_type"));
  CHECK(has(refusal("scopes = \"a b\"\n"), "demo.toml:1: scopes"));
  CHECK(has(refusal("redirect_host = true\n"), "redirect_host"));
  CHECK(has(refusal("[params]\nskip_scope_on_auth = \"perhaps\"\n"), "demo.toml:2"));
  CHECK(has(refusal("[variables]\nx = 1\n"), "variables"));
  CHECK(has(refusal("[variables.x.replaces]\nclient_secret = \"x\"\n"), "client_secret"));
}

TEST_CASE("names lead to entries only", "[catalogue]") {
  const Catalogue catalogue({NEXUS_CATALOGUE});
  for (const char* name : {"../providers/github", "", "github.toml", "GitHub", "nobody"}) {
    const auto found = catalogue.find(name);
    CHECK((found && !*found));
  }
}

TEST_CASE("stripe is the API key that most people mean, as the well-known AI services are",
          "[catalogue]") {
  const Catalogue catalogue({NEXUS_CATALOGUE});
  for (const char* name : {"stripe", "openai", "anthropic", "mistral", "groq", "cohere",
                           "huggingface", "openrouter", "deepseek"}) {
    CAPTURE(name);
    const auto entry = catalogue.find(name);
    REQUIRE((entry && *entry));
    CHECK((*entry)->auth_type == AuthType::api_key);
    CHECK((*entry)->category == (name == "stripe"s ? "payment" : "ai"));
    CHECK((*entry)->console_url.starts_with("https://"));
  }
  const auto connect = catalogue.find("stripe-connect");
  REQUIRE((connect && *connect));
  CHECK((*connect)->is_oauth());
}

TEST_CASE("what exec calls the credentials of an entry are fields that it has", "[catalogue]") {
  std::vector<Error> problems;
  int with_names = 0;
  for (const auto& entry : Catalogue({NEXUS_CATALOGUE}).all(problems)) {
    INFO(entry.name);
    if (!entry.env.empty()) ++with_names;
    for (const auto& [variable, field] : entry.env) {
      INFO(variable);
      if (entry.is_oauth()) {
        CHECK(field == "access_token");
      } else {
        CHECK(entry.profile->at("params").at("credential_schema").at("properties").contains(field));
      }
    }
  }
  CHECK(with_names >= 60);
}

TEST_CASE("an entry's env is refused where no program could have it", "[catalogue]") {
  const auto entry = read("[env]\nDEMO_KEY = \"api_key\"\n");
  CHECK(entry.env == std::map<std::string, std::string>{{"DEMO_KEY", "api_key"}});
  CHECK_FALSE(entry.profile->contains("env"));
  CHECK(has(refusal("[env]\nLD_PRELOAD = \"api_key\"\n"), "LD_PRELOAD"));
  CHECK(has(refusal("[env]\n\"a-b\" = \"api_key\"\n"), "'a-b'"));
  CHECK(has(refusal("[env]\nDEMO = \"\"\n"), "DEMO"));
  CHECK(has(refusal("[env]\nDEMO = 1\n"), "env"));
  CHECK(has(refusal("env = \"x\"\n"), "env"));
}

// toml++ 3.3 has such letters reach what it calls unreachable. What GCC makes of that is right, and
// UBSan does not ask.
#ifndef __SANITIZE_ADDRESS__
TEST_CASE("a letter outside of a text is told with its line, whichever it is", "[catalogue]") {
  // One of each block of letters, where a name, a value and an end of line may be.
  for (char32_t letter = 0xa0; letter < 0xfffe; letter += 7) {
    if (letter >= 0xd800 && letter < 0xe000) continue;
    std::string text;
    if (letter >= 0x800) text += static_cast<char>(0xe0 | letter >> 12);
    text += static_cast<char>(letter >= 0x800 ? 0x80 | (letter >> 6 & 0x3f) : 0xc0 | letter >> 6);
    text += static_cast<char>(0x80 | (letter & 0x3f));
    CAPTURE(text);
    for (const auto& line : {text + " = 1", "b = " + text, "b = 1 " + text}) {
      const auto file = cli::parse_toml("a = 1\n" + line, "file");
      if (!file) CHECK(file.error().message.starts_with("file:2: "));
      if (!line.ends_with("= 1")) CHECK_FALSE(file.ok());
    }
    CHECK(cli::parse_toml("a = \"" + text + "\"", "file").ok());
  }
}
#endif

TEST_CASE("a document with nothing in it has a first line all the same", "[catalogue]") {
  for (const auto* text : {"", "# nothing\n", "~"}) {
    const auto file = cli::parse_yaml(text, "file");
    REQUIRE(file.ok());
    CHECK(file->line_of("") == 1);
  }
}
