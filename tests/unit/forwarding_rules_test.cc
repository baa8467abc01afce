#include "daemon/upstream/destinations.h"
#include "daemon/upstream/header_rules.h"
#include "tests/support/catch.h"

using namespace nexus;

namespace {

Provider provider(std::vector<std::string> hosts = {}) {
  Provider provider;
  provider.name = "acme";
  provider.settings.api_hosts = std::move(hosts);
  return provider;
}

Result<std::string> resolve(const std::string& base, const std::string& target,
                            std::vector<std::string> hosts = {}) {
  NEXUS_TRY(const auto destinations, Destinations::of(provider(std::move(hosts)), base));
  return destinations.resolve(target, target);
}

std::string refusal(const std::string& target, std::vector<std::string> hosts = {}) {
  const auto url = resolve("https://api.example.com/v3", target, std::move(hosts));
  return url ? "goes to " + *url : url.error().wire();
}

std::string sent(const HeaderLines& lines) {
  std::string out;
  for (const auto& [name, value] : headers_for_server(lines))
    out += name + "=" + std::string(value.expose()) + ";";
  return out;
}

std::string told(const HeaderLines& lines, const std::vector<std::string_view>& secrets = {}) {
  std::string out;
  for (const auto& [name, value] : headers_for_caller(lines, Masked(secrets)))
    out += name + "=" + value + ";";
  return out;
}

}  // namespace

TEST_CASE("a path is one below the API's base URL, as it stands", "[upstream][L1]") {
  CHECK(*resolve("https://api.example.com", "/user") == "https://api.example.com/user");
  CHECK(*resolve("https://api.example.com/", "user") == "https://api.example.com/user");
  CHECK(*resolve("https://api.example.com/v3/", "/user?a=b&c") ==
        "https://api.example.com/v3/user?a=b&c");
  CHECK(*resolve("https://api.example.com", "/a%2Fb//c/") == "https://api.example.com/a%2Fb//c/");
  CHECK(*resolve("https://api.example.com", "/a?u=https://b.example/..") ==
        "https://api.example.com/a?u=https://b.example/..");
  CHECK(*resolve("https://api.example.com/v3", "https://api.example.com/v4/x") ==
        "https://api.example.com/v4/x");
  CHECK(*resolve("https://api.example.com/v3", "HTTPS://API.example.com:443/x") ==
        "HTTPS://API.example.com:443/x");
}

TEST_CASE("credentials go to no other scheme, host or port", "[upstream][L1]") {
  for (const char* target :
       {"https://evil.example/", "https://api.example.com.evil.example/", "https://example.com/",
        "https://api.example.com:444/", "http://api.example.com/", "https://xapi.example.com/",
        "https://[::1]/"})
    CHECK(refusal(target) == "host_not_allowed");
  for (const char* target :
       {"https://api.example.com@evil.example/", "https://user:pw@api.example.com/", "//\\evil",
        "/a\\b", "/a b", "/../x", "/a/..", "/%2e%2e/x", "/a/%2E/b", "/./a", "/a#b", "ftp://a/b",
        "file:///etc/passwd", "https:///evil.example/", "https:evil.example", "/a\r\nX: b", "/\x01",
        "/ü"}) {
    CAPTURE(target);
    const auto got = refusal(target);
    CHECK((got == "invalid_field" || got.starts_with("goes to https://api.example.com/v3/")));
  }
  // What looks like another host is a path of this one.
  CHECK(refusal("//evil.example/x") == "goes to https://api.example.com/v3//evil.example/x");
  CHECK(refusal("@evil.example") == "goes to https://api.example.com/v3/@evil.example");
  CHECK(refusal(":444/x") == "goes to https://api.example.com/v3/:444/x");
  CHECK(refusal(".evil.example/x") == "goes to https://api.example.com/v3/.evil.example/x");
}

TEST_CASE("api_hosts are further hosts, to the letter or below a domain", "[upstream][L1]") {
  const std::vector<std::string> hosts{"uploads.example.com", "*.files.example.com",
                                       "other.example.com:8443"};
  CHECK(refusal("https://uploads.example.com/x", hosts) == "goes to https://uploads.example.com/x");
  CHECK(refusal("https://a.b.files.example.com/x", hosts).starts_with("goes to"));
  CHECK(refusal("https://other.example.com:8443/x", hosts).starts_with("goes to"));
  for (const char* target :
       {"https://files.example.com/", "https://xfiles.example.com/", "https://.files.example.com/",
        "https://other.example.com/", "http://uploads.example.com/"})
    CHECK_FALSE(refusal(target, hosts).starts_with("goes to"));
  for (const char* bad : {"*", "*.com", "a/b", "user@a", "a b", "https://a", ""}) {
    CAPTURE(bad);
    const auto refused = resolve("https://api.example.com", "/x", {bad});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::provider_misconfigured);
  }
}

TEST_CASE("an API whose base URL cannot be trusted gets nothing", "[upstream][L1]") {
  for (const char* base : {"", "http://api.example.com", "https://u:p@api.example.com",
                           "https://api.example.com/?a=b", "https://api.example.com/#a", "api"}) {
    const auto refused = resolve(base, "/x");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::provider_misconfigured);
  }
}

TEST_CASE("what a caller sends as its own credential goes nowhere", "[upstream][L5]") {
  CHECK(sent({{"Authorization", "Bearer mine"},
              {"authorization", "Bearer twice"},
              {"Proxy-Authorization", "Basic x"},
              {"X-API-Key", "nxk_canary"},
              {"X-Nexus-Target", "/x"},
              {"Cookie", "a=b"},
              {"Host", "evil.example"},
              {"Accept", "text/plain"},
              {"X-Custom", "kept"}}) == "Accept=text/plain;X-Custom=kept;");
}

TEST_CASE("headers of one connection end there, both ways", "[upstream][L6]") {
  const HeaderLines lines{{"Connection", "close, X-Named , Authorization"},
                          {"x-named", "1"},
                          {"Keep-Alive", "timeout=5"},
                          {"TE", "trailers"},
                          {"Trailer", "X"},
                          {"Transfer-Encoding", "chunked"},
                          {"Upgrade", "websocket"},
                          {"Proxy-Connection", "keep-alive"},
                          {"Content-Length", "5"},
                          {"X-Kept", "2"}};
  CHECK(sent(lines) == "X-Kept=2;");
  CHECK(told(lines) == "X-Kept=2;Cache-Control=private, no-store;");
}

TEST_CASE("a server's answer tells no credential, no cookie and nothing to cache",
          "[upstream][L9][L13][L14]") {
  CHECK(told({{"Set-Cookie", "a=b"}, {"Cache-Control", "public, max-age=60"}, {"ETag", "\"1\""}}) ==
        "ETag=\"1\";Cache-Control=private, no-store;");
  CHECK(told({{"Location", "https://a.example/?key=se%2Fcret&x=1"}, {"X-Echo", "Bearer se/cret"}},
             {"se/cret"}) ==
        "Location=https://a.example/?key=***&x=1;X-Echo=Bearer ***;"
        "Cache-Control=private, no-store;");
  for (const char* told_back :
       {"https://a.example/?key=se%2fcret", "s%65/cret", "c2UvY3JldA==", "c2UvY3JldA"}) {
    const auto shown = told({{"X-Echo", told_back}}, {"se/cret"});
    CHECK((shown == "X-Echo=***;Cache-Control=private, no-store;" ||
           shown == "X-Echo=***==;Cache-Control=private, no-store;"));
  }
  CHECK(told({{"X-se-cret", "1"}, {"X-100%", "100% of %zz"}}, {"se-cret"}) ==
        "X-100%=100% of %zz;Cache-Control=private, no-store;");
  CHECK(told({{"X-Nexus-Error", "forged"}, {"X-A\r\nB", "c"}, {"X-B", "a\rc"}}) ==
        "Cache-Control=private, no-store;");
}
