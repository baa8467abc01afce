#include "daemon/access/route_rules.h"

#include "daemon/access/access.h"
#include "tests/support/catch.h"

using namespace nexus;

namespace {

RouteRules rules(const std::vector<std::string>& texts) {
  auto parsed = RouteRules::parse(texts);
  REQUIRE(parsed);
  return *std::move(parsed);
}

bool allows(const RouteRules& rules, const std::string& method, const std::string& path) {
  const auto checked = rules.check(method, path, path);
  if (!checked) CHECK(checked.error().code == ErrorCode::route_not_allowed);
  return static_cast<bool>(checked);
}

}  // namespace

TEST_CASE("the first rule that fits counts, and what none fits is denied", "[route_rules]") {
  const auto some = rules({"deny * /repos/*/secrets/**", "allow GET,HEAD /repos/**",
                           "allow POST /repos/*/issues", "allow * https://uploads.example.com/**"});
  CHECK(allows(some, "GET", "/repos/a/b"));
  CHECK(allows(some, "HEAD", "/repos/"));
  CHECK(allows(some, "POST", "/repos/a/issues"));
  CHECK(allows(some, "PUT", "https://uploads.example.com/x"));
  CHECK_FALSE(allows(some, "GET", "/repos/a/secrets/b"));
  CHECK_FALSE(allows(some, "GET", "/repos"));
  CHECK(allows(some, "get", "/repos/a"));  // some servers take methods in whatever case
  CHECK_FALSE(allows(rules({"deny GET /a", "allow * /**"}), "HEAD", "/a"));
  CHECK_FALSE(allows(rules({"allow GET /a"}), "HEAD", "/a"));
  CHECK_FALSE(allows(rules({"deny DELETE /**", "allow * /**"}), "delete", "/a"));
  CHECK_FALSE(allows(rules({"deny delete /**", "allow * /**"}), "DELETE", "/a"));
  CHECK_FALSE(allows(some, "POST", "/repos/a/b/issues"));
  CHECK_FALSE(allows(some, "POST", "/repos/a/issues/1"));
  CHECK_FALSE(allows(some, "GET", "/user"));
  CHECK_FALSE(allows(some, "PUT", "https://uploads.example.com.evil/x"));
  CHECK(allows(rules({}), "DELETE", "/anything"));
}

TEST_CASE("a path that could be read in two ways gets past no rule", "[route_rules]") {
  const auto some = rules({"deny * /a/secret", "deny * /a/b%20c", "allow * /**"});
  for (const char* path : {"/a/%73ecret", "/a/secre%74", "/%61/secret", "/a/b%20c"})
    CHECK_FALSE(allows(some, "GET", path));
  for (const char* path : {"/a//secret",
                           "//a/secret",
                           "/a%2Fsecret",
                           "/a%2fsecret",
                           "/a\\secret",
                           "/a%5Csecret",
                           "/a;x/secret",
                           "/a/secret;x",
                           "/a/secret%3bx",
                           "/a/%zz",
                           "/b/%252e%252e/a/secret",
                           "/b/%c0%ae%c0%ae/a/secret",
                           "/b/%c0%af",
                           "/b/..%20/a/secret",
                           "/b/..%09/a/secret",
                           "/b/%2e%2e%0a/a/secret",
                           "/b/../a/secret",
                           "/b/.%20./a",
                           "/a/x%00",
                           "/a/%ff",
                           "/b/..."})
    CHECK_FALSE(allows(some, "GET", path));
  for (const char* path : {"/a/b", "/a/%E2%82%AC", "/"}) CHECK(allows(some, "GET", path));
  // What has a meaning in expressions has none here.
  CHECK_FALSE(allows(rules({"allow GET /a.c+(x)"}), "GET", "/abc+(x)"));
  CHECK(allows(rules({"allow GET /a.c+(x)"}), "GET", "/a.c+(x)"));
}

TEST_CASE("rules are about a connection by its id, alias or provider", "[route_rules]") {
  ConnectionRow row;
  row.id = "conn_1";
  row.alias = "work";
  row.provider_name = "github";
  const auto all = rules({"work allow GET /a", "github allow GET /b", "conn_1 allow GET /c",
                          "other allow * /**", "allow GET /d"});
  const auto own = all.about(row);
  CHECK(own.texts().size() == 4);
  for (const char* path : {"/a", "/b", "/c", "/d"}) CHECK(allows(own, "GET", path));
  CHECK_FALSE(allows(own, "GET", "/e"));
  // A name that is misspelt allows nothing, rather than everything.
  row = {};
  CHECK_FALSE(allows(rules({"wrok deny DELETE /**"}).about(row), "DELETE", "/"));
  CHECK(allows(rules({}).about(row), "DELETE", "/"));
}

TEST_CASE("a rule that is none says how one reads", "[route_rules]") {
  for (const char* bad :
       {"", "allow", "GET /x", "permit GET /x", "allow GET x", "allow GET, /x", "allow *,GET /x",
        "a b allow GET /x", "allow G\tT /x", "allow GET ftp://x", "deny , /x", "deny ,, /x",
        "deny GET,,PUT /x", "deny ,GET /x", "allow GET /x?y", "allow GET /x#y", "allow GET /a//b",
        "allow GET /a/../b"})
    CHECK_FALSE(RouteRules::parse({bad}));
  CHECK_FALSE(RouteRules::parse({"allow GET /" + std::string(3000, 'x')}));
}

TEST_CASE("a key's rules come with it, and bind none that has the credentials", "[route_rules]") {
  const std::string text =
      R"({"admin":false,"read":[],"forward":["all"],"use":[],"rules":["allow GET /**"]})";
  const auto access = access_from_text(text);
  REQUIRE(access);
  CHECK(to_text(*access) == text);
  for (const char* bad :
       {R"({"use":["all"],"rules":["allow GET /**"]})",
        R"({"admin":true,"rules":["allow GET /**"]})", R"({"forward":["all"],"rules":["allow"]})"})
    CHECK_FALSE(access_from_text(bad));
}
