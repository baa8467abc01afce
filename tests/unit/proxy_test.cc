#include "daemon/net/proxy.h"

#include <cstdlib>

#include "daemon/net/address_policy.h"
#include "tests/support/catch.h"
#include "tests/support/variable.h"

using namespace nexus;
using namespace nexus::test;

namespace {

std::string through(const std::string& url, const std::string& setting = "env") {
  return proxy_for(*parse_url(url, "it"), setting);
}

}  // namespace

TEST_CASE("who is exempt from a proxy is told by domain, address or network", "[proxy]") {
  const auto exempt = [](const char* list, const char* host) { return is_exempt(list, host); };
  CHECK(exempt("*", "a.example"));
  CHECK(exempt("a.example", "a.example"));
  CHECK(exempt("example", "a.example"));
  CHECK(exempt(".example", "a.example"));
  CHECK(exempt("x, A.Example.", "a.example."));
  CHECK(exempt("x a.example", "a.example"));
  CHECK(exempt("10.0.0.0/8", "10.1.2.3"));
  CHECK(exempt("10.1.2.3", "10.1.2.3"));
  CHECK(exempt("172.16.0.0/12", "172.31.255.255"));
  CHECK(exempt("fd00::/8", "[fd12::1]"));
  CHECK(exempt("[fd12::1]", "[fd12::1]"));
  CHECK(exempt("0.0.0.0/0", "203.0.113.7"));
  for (const char* list : {"", ",", ".", "b.example", "ample", "a.example.org", "10.0.0.0/8"})
    CHECK_FALSE(exempt(list, "a.example"));
  for (const char* list : {"11.0.0.0/8", "10.1.2.0/33", "10.1.2.0/x", "10.1.2.0/-1", "10.1.2", "3",
                           "fd00::/8", "::/0", "172.16.0.0/12"})
    CHECK_FALSE(exempt(list, "10.1.2.3"));
  CHECK_FALSE(exempt("172.16.0.0/12", "172.32.0.0"));
  CHECK_FALSE(exempt("0.0.0.0/0", "[fd12::1]"));
}

TEST_CASE("a proxy comes from the settings or the environment, never for this machine", "[proxy]") {
  const Variable https("https_proxy", "http://https.proxy:1");
  const Variable http("http_proxy", "http://http.proxy:1");
  const Variable none("no_proxy", "direct.example");
  CHECK(through("https://a.example/") == "http://https.proxy:1");
  CHECK(through("http://a.example/") == "http://http.proxy:1");
  CHECK(through("https://a.example/", "http://own.proxy:2") == "http://own.proxy:2");
  CHECK(through("https://a.example/", "none").empty());
  for (const char* setting : {"env", "http://own.proxy:2"}) {
    CHECK(through("https://direct.example/", setting).empty());
    for (const char* here : {"https://127.0.0.1/", "http://localhost/", "https://[::1]/"})
      CHECK(through(here, setting).empty());
  }
}

TEST_CASE("a host that is an address is held to the policy, a name is not", "[proxy]") {
  CHECK(allows({}, "a.example"));
  CHECK(allows({}, "203.0.113.7"));
  CHECK(allows({}, "[2001:db8::1]"));
  for (const char* host : {"10.0.0.1", "127.0.0.1", "169.254.169.254", "[::1]", "[fd12::1]", "[x]",
                           "[::ffff:10.0.0.1]"})
    CHECK_FALSE(allows({}, host));
  CHECK(allows({.private_networks = true}, "10.0.0.1"));
  CHECK(allows({.loopback = true}, "[::1]"));
  CHECK_FALSE(allows({true, true}, "169.254.169.254"));
}
