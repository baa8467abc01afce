#include <fstream>

#include "common/config.h"
#include "common/rfc3339.h"
#include "daemon/access/access.h"
#include "daemon/api/credentials.h"
#include "daemon/api/limits.h"
#include "daemon/api/token_payload.h"
#include "daemon/connect/return_urls.h"
#include "daemon/connection_errors.h"
#include "daemon/crypto/encoding.h"
#include "daemon/http/host_policy.h"
#include "daemon/http/rate_limiter.h"
#include "tests/support/catch.h"

using namespace nexus;

namespace {

ConnectionRow connection(const std::string& id, const std::string& workspace,
                         const std::string& provider) {
  ConnectionRow row;
  row.id = id;
  row.workspace = workspace;
  row.provider_name = provider;
  return row;
}

Caller caller_with(std::vector<std::pair<Right, std::string>> grants, bool admin = false) {
  auto access = std::make_shared<Access>();
  access->admin = admin;
  for (const auto& [right, text] : grants) access->grants.push_back(*Grant::parse(right, text));
  Caller caller;
  caller.access = access;
  return caller;
}

const std::string kId = "conn_01ARZ3NDEKTSV4RRFFQ69G5FAV";

http::Request request_with(std::vector<std::pair<std::string, std::string>> headers) {
  http::Request request;
  request.headers = std::move(headers);
  return request;
}

}  // namespace

TEST_CASE("a grant is what its text says", "[access]") {
  for (const auto* text : {"all", "workspace:a b", "provider:google", kId.c_str()})
    CHECK(Grant::parse(Right::use, text)->text() == text);
  CHECK(Grant::parse(Right::use, "provider:Google")->name == "google");
  for (const auto* text :
       {"", "google", "workspace:", "provider:", "conn_x", "ALL", "workspace", "workspace:a\x1b[2J",
        "provider:a\nb", "workspace:\xff", "workspace:\xe2\x80\xae"})
    CHECK_FALSE(Grant::parse(Right::use, text));
}

TEST_CASE("use includes read, and neither goes beyond its scope", "[access]") {
  const auto own = connection(kId, "w", "google");
  const auto other = connection("conn_01ARZ3NDEKTSV4RRFFQ69G5FAW", "v", "github");
  for (const auto* scope : {"workspace:w", "provider:google", kId.c_str()}) {
    const auto reader = caller_with({{Right::read, scope}});
    const auto user = caller_with({{Right::use, scope}});
    CHECK(may(reader, Right::read, own));
    CHECK_FALSE(may(reader, Right::use, own));
    CHECK(may(user, Right::read, own));
    CHECK(may(user, Right::use, own));
    for (const auto& each : {reader, user}) CHECK_FALSE(may(each, Right::read, other));
  }
  CHECK(may_connect(caller_with({{Right::use, "provider:google"}}), "any", "google"));
  CHECK_FALSE(may_connect(caller_with({{Right::use, kId}}), "w", "google"));
  CHECK_FALSE(may_connect(caller_with({{Right::read, "all"}}), "w", "google"));
  CHECK(is_admin(caller_with({}, true)));
  CHECK(is_admin(Caller{}));
  CHECK_FALSE(is_admin(caller_with({{Right::use, "all"}})));
}

TEST_CASE("what may not be seen is told like what is not there", "[access]") {
  const auto row = connection(kId, "w", "google");
  const auto hidden = require(caller_with({{Right::use, "workspace:v"}}), Right::read, row, kId);
  REQUIRE_FALSE(hidden);
  CHECK(hidden.error().wire() == std::string("connection_not_found"));
  CHECK(hidden.error().message == no_such_connection(kId).message);
  CHECK(hidden.error().connection_id.empty());
}

TEST_CASE("a bucket gives out what it holds, then one after another", "[limits]") {
  http::RateLimiter limiter(60);
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 60; ++i) CHECK(limiter.wait_for("a", start) == 0);
  CHECK(limiter.wait_for("a", start) == 1);
  CHECK(limiter.wait_for("b", start) == 0);
  CHECK(limiter.wait_for("a", start + std::chrono::milliseconds(1100)) == 0);
  CHECK(limiter.wait_for("a", start + std::chrono::milliseconds(1200)) == 1);
  http::RateLimiter slow(1);
  CHECK(slow.wait_for("a", start) == 0);
  CHECK(slow.wait_for("a", start) == 60);
  http::RateLimiter none(0);
  for (int i = 0; i < 1000; ++i) CHECK(none.wait_for("a", start) == 0);
}

TEST_CASE("fresh names neither get around a limit nor cost memory without end", "[limits]") {
  http::RateLimiter limiter(2);
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 2; ++i) CHECK(limiter.wait_for("busy", start) == 0);
  CHECK(limiter.wait_for("busy", start) > 0);
  int passed = 0;
  for (int i = 0; i < 150'000; ++i)
    if (limiter.wait_for("fresh " + std::to_string(i), start) == 0) ++passed;
  CHECK(limiter.wait_for("busy", start) > 0);
  CHECK(passed == 99'999 + 2);
  // A minute later the names are forgotten, and there is room again.
  const auto later = start + std::chrono::seconds(61);
  for (int i = 0; i < 10; ++i) CHECK(limiter.wait_for("later " + std::to_string(i), later) == 0);
}

TEST_CASE("long names are told apart", "[limits]") {
  http::RateLimiter limiter(1);
  const auto start = std::chrono::steady_clock::now();
  const std::string name(100'000, 'w');
  CHECK(limiter.wait_for(name + "a", start) == 0);
  CHECK(limiter.wait_for(name + "b", start) == 0);
  CHECK(limiter.wait_for(name + "a", start) > 0);
}

TEST_CASE("a key is limited whatever workspaces it thinks of", "[limits]") {
  LimitsConfig config;
  config.request_connection = 2;
  config.request_connection_per_key = 5;
  api::Limits limits(config);
  Caller caller;
  caller.via = Caller::Via::gateway;
  caller.key = "k1";
  int passed = 0;
  for (int i = 0; i < 400; ++i)
    if (api::admit(limits.request_connection, caller, "w" + std::to_string(i))) ++passed;
  CHECK(passed == 5);
  const auto refused = api::admit(limits.request_connection, caller, "w");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message == "too many requests for this key");
  CHECK(refused.error().retry_after_s > 0);
  caller.key = "k2";
  for (int i = 0; i < 2; ++i) CHECK(api::admit(limits.request_connection, caller, "w"));
  CHECK(api::admit(limits.request_connection, caller, "w").error().message ==
        "too many requests for this key and workspace");
  caller.via = Caller::Via::control_socket;
  for (int i = 0; i < 10; ++i) CHECK(api::admit(limits.request_connection, caller, "w"));
}

TEST_CASE("dates of RFC 3339, and nothing else", "[time]") {
  CHECK(parse_rfc3339("1970-01-01T00:00:10Z") == 10);
  CHECK(parse_rfc3339("1970-01-01T01:00:10.999+01:00") == 10);
  CHECK(parse_rfc3339("1969-12-31T23:30:00-00:30") == 0);
  CHECK(parse_rfc3339("2028-02-29T23:59:60Z") == parse_rfc3339("2028-03-01T00:00:00Z"));
  CHECK(parse_rfc3339(rfc3339(1795566108)) == 1795566108);
  for (const auto* text : {"", "now", "2026-01-01", "2026-01-01 00:00:00Z", "2026-01-01T00:00:00",
                           "2026-13-01T00:00:00Z", "2026-01-01T00:00:00.Z",
                           "2026-01-01T00:00:00+0100", "2026-01-01T00:00:00Zx"})
    CHECK_FALSE(parse_rfc3339(text));
}

TEST_CASE("an API key is read from one header, and taken out of it", "[keys]") {
  const auto basic = "Basic " + base64("user:the-key");
  for (const auto& headers : std::vector<std::vector<std::pair<std::string, std::string>>>{
           {{"x-api-key", "the-key"}},
           {{"authorization", "Bearer the-key"}},
           {{"authorization", "bEARER   the-key"}},
           {{"authorization", basic}},
           {{"x-api-key", "the-key"}, {"authorization", "Bearer other"}}}) {
    auto request = request_with(headers);
    const auto key = api::take_api_key(request);
    REQUIRE(key);
    CHECK(key->expose() == "the-key");
    for (const auto& [name, value] : request.headers) CHECK(value.empty());
  }
  auto none = request_with({{"host", "h"}});
  CHECK(api::take_api_key(none)->empty());
  for (const auto* text : {"Bearer", "Basic !", "Digest x", "Basic eA==", "Negotiate"}) {
    auto request = request_with({{"authorization", text}});
    CHECK_FALSE(api::take_api_key(request));
  }
  auto empty = request_with({{"x-api-key", ""}});
  CHECK_FALSE(api::take_api_key(empty));
}

TEST_CASE("a token that does not expire has no expires_at", "[tokens]") {
  FetchedToken token;
  token.access_token = Secret("quote\"and\\slash");
  token.facts.token_type = "Bearer";
  for (const auto& payload : {api::token_payload(token, 0), api::resolve_payload(token, 0)}) {
    CHECK(payload.find("expires") == SecretText::npos);
    CHECK(payload.find("null") == SecretText::npos);
    CHECK(payload.find(R"(quote\"and\\slash)") != SecretText::npos);
  }
  token.facts.expires_at = 100;
  CHECK(api::token_payload(token, 130).find("\"expires_in\":0") != SecretText::npos);
}

TEST_CASE("settings of every type, each error with its line", "[config]") {
  const auto file = std::string("/tmp/nexus-config-test.toml");
  const auto read = [&](const std::string& text) {
    std::ofstream(file) << text;
    return load_config({file, "/d", "/s", ""});
  };
  const auto good = read(
      "[gateway]\nhosts = [\"a\", \"b\"]\nopen_check = false\n"
      "environment_keys = true\n[limits]\ntoken = 7\n"
      "[daemon]\nlog_level = \"debug\"\n");
  REQUIRE(good);
  CHECK(good->flaws.empty());
  CHECK(good->gateway.hosts == std::vector<std::string>{"a", "b"});
  CHECK_FALSE(good->gateway.open_check);
  CHECK(good->gateway.environment_keys);
  CHECK_FALSE(Config().gateway.environment_keys);
  CHECK(good->limits.token == 7);
  for (const auto* bad :
       {"\n[gateway]\nopen_check = 1\n", "\n\nlimits = 3\n", "[limits]\n\ntoken = -1\n",
        "[limits]\n\ntoken = 1.5\n", "[gateway]\n\nhosts = [1]\n", "\n\nnew = 1\n"}) {
    const auto flawed = read(bad);
    REQUIRE(flawed);
    REQUIRE(flawed->flaws.size() == 1);
    CHECK(flawed->flaws[0].message.find(":3: ") != std::string::npos);
  }
  std::remove(file.c_str());
}

TEST_CASE("a setting that cannot be followed is told, and the others are followed", "[config]") {
  const auto file = std::string("/tmp/nexus-flaws-test.toml");
  const auto read = [&](const std::string& text) {
    std::ofstream(file) << text;
    return load_config({file, "", "", ""});
  };
  const auto flawed = read(
      "worksapce = \"a\"\n[daemon]\nsocket = \"/run/a.sock\"\nlog_level = \"loud\"\n"
      "data_dir = \"~/nexus\"\n[callback]\npath = \"no path\"\n[limits]\ntoken = \"7\"\nrefresh = "
      "3\n");
  REQUIRE(flawed);
  CHECK(flawed->flaws.size() == 5);
  CHECK(flawed->socket == "/run/a.sock");
  CHECK(flawed->limits.refresh == 3);
  CHECK(flawed->limits.token == 0);
  CHECK(flawed->log_level == "info");
  CHECK(flawed->callback_path == "/auth/callback");
  CHECK(flawed->data_dir != "~/nexus");
  // What is no TOML at all says nothing about any setting.
  const auto broken = read("workspace = \"a\"\n[daemon\n");
  REQUIRE(broken);
  REQUIRE(broken->flaws.size() == 1);
  CHECK(broken->flaws[0].message.find(file + ":2: ") == 0);
  CHECK(broken->workspace == "default");
  std::remove(file.c_str());
}
