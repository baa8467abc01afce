#include "common/site.h"
#include "tests/support/catch.h"

using namespace nexus;

namespace {

/// "HOST PATH", "" for none.
std::string site(std::string_view text) {
  const auto found = parse_site(text);
  return found ? found->host + " " + found->path : "";
}

bool within(std::string_view text, std::string_view whole) {
  return is_within(*parse_site(text), *parse_site(whole));
}

}  // namespace

TEST_CASE("a site is a host in lower case, a port of its own and a path", "[site]") {
  CHECK(site("https://GitHub.com/Acme/repo.git/") == "github.com /Acme/repo.git");
  CHECK(site("ghcr.io") == "ghcr.io ");
  CHECK(site("HTTPS://ghcr.io:443/v2/?scope=x#y") == "ghcr.io /v2");
  CHECK(site("ghcr.io:8443/x") == "ghcr.io:8443 /x");
  CHECK(site("http://localhost:80/x") == "localhost /x");
  CHECK(site("http://127.0.0.1:5000") == "127.0.0.1:5000 ");
  CHECK(site("http://[::1]:5000/v2") == "[::1]:5000 /v2");
  CHECK(site("https://[2001:DB8::1]") == "[2001:db8::1] ");
}

TEST_CASE("what credentials are not for is no site", "[site]") {
  for (const char* text : {"",
                           "http://github.com",
                           "http://127.0.0.1.evil.example",
                           "http://127.evil.example.com",
                           "http://127.0.0.1.5",
                           "http://127.0.0.256",
                           "http://127.0.0.1.",
                           "http://127...",
                           "ssh://git@github.com",
                           "https://github.com@evil.example",
                           "https://a:b@github.com",
                           "github.com@evil.example",
                           "https://github.com\\@evil.example",
                           "https://git hub.com",
                           "https://github.com\nhost=evil.example",
                           "https://github.com:",
                           "https://github.com:0",
                           "https://github.com:65536",
                           "https://github.com:443x",
                           "https://github.com:443:443",
                           "https://",
                           "https:///x",
                           "https://.github.com",
                           "https://%67ithub.com",
                           "https://[::1",
                           "https://[::1]x",
                           "https://g\xc3\xadthub.com",
                           "file:///etc/passwd",
                           "://github.com"}) {
    CAPTURE(text);
    CHECK(site(text).empty());
  }
}

TEST_CASE("a site is within another of the very same host, part by part of the path", "[site]") {
  CHECK(within("https://github.com/acme/x", "github.com"));
  CHECK(within("https://github.com/acme/x", "github.com/acme"));
  CHECK(within("https://github.com/acme", "github.com/acme/"));
  CHECK_FALSE(within("https://github.com/acmeevil/x", "github.com/acme"));
  CHECK_FALSE(within("https://github.com/Acme/x", "github.com/acme"));
  CHECK_FALSE(within("https://github.com", "github.com/acme"));
  CHECK_FALSE(within("https://github.com.evil.example", "github.com"));
  CHECK_FALSE(within("https://evil.github.com", "github.com"));
  CHECK_FALSE(within("https://github.com:8443", "github.com"));
}

TEST_CASE("a path that leads elsewhere is within the host alone", "[site]") {
  for (const char* text : {"github.com/acme/../evil", "github.com/acme/%2e%2e/evil",
                           "github.com/acme/%2Fevil", "github.com/acme\\..\\evil"}) {
    CAPTURE(text);
    CHECK(within(text, "github.com"));
    CHECK_FALSE(within(text, "github.com/acme"));
  }
}
