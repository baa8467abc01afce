#include "daemon/provider/api_base.h"

#include <nlohmann/json.hpp>

#include "common/json.h"
#include "tests/support/catch.h"

using namespace nexus;

namespace {

Provider provider(const std::string& api_base_url, bool allow_insecure_http = false) {
  Provider provider;
  provider.name = "acme";
  provider.api_base_url = api_base_url;
  provider.allow_insecure_http = allow_insecure_http;
  provider.settings.dialect.token_fields = {"instance_url", "host", "dc", "site.id"};
  return provider;
}

Result<std::string> base(const std::string& api_base_url, const Json& told,
                         bool allow_insecure_http = false) {
  ConnectionRow connection;
  connection.id = "conn_a";
  connection.provider_name = "acme";
  connection.token.token_fields = to_text(told);
  return api_base_of(provider(api_base_url, allow_insecure_http), connection);
}

std::string fault(const std::string& api_base_url, const Json& told) {
  const auto result = base(api_base_url, told);
  if (result) return "none: " + *result;
  CHECK(result.error().connection_id == "conn_a");
  return result.error().code == ErrorCode::provider_protocol ? "refused" : result.error().message;
}

}  // namespace

TEST_CASE("an API is where the token's answer says, in its place", "[api-base]") {
  CHECK(*base("https://api.example", {}) == "https://api.example");
  CHECK(*base("https://api.example/v1/", {}) == "https://api.example/v1");
  CHECK(*base("{instance_url}", {{"instance_url", "https://a.my.example"}}) ==
        "https://a.my.example");
  CHECK(*base("{instance_url}/", {{"instance_url", "https://a.my.example:8443/"}}) ==
        "https://a.my.example:8443");
  CHECK(*base("{instance_url}/services", {{"instance_url", "https://a.my.example/x/"}}) ==
        "https://a.my.example/x/services");
  CHECK(*base("https://{host}/api/v4", {{"host", "WWW.wrike.example"}}) ==
        "https://www.wrike.example/api/v4");
  CHECK(*base("https://{dc}.api.example.com/3.0", {{"dc", "us-19"}}) ==
        "https://us-19.api.example.com/3.0");
  CHECK(*base("https://api.example.com/{site.id}/x", {{"site.id", 17}}) ==
        "https://api.example.com/17/x");
  CHECK(*base("{instance_url}/s/{site.id}", {{"instance_url", "https://a.example"},
                                             {"site.id", "b_c"}}) == "https://a.example/s/b_c");
}

TEST_CASE("a token's answer leads nowhere but to its place", "[api-base]") {
  const auto* evil =
      GENERATE("evil.com/", "evil.com/x", "evil.com#", "evil.com?", "a@b", "x:1", "@evil.com",
               "a\r\nHost: evil.com", "a\nb", "a\tb", "a b", "\\", "a\\b", "a/../b", "..", ".", "",
               "/", "//evil.com", "%2e%2e", "a%2fb", "{dc}", "}", "ä", "-a-");
  CAPTURE(evil);
  for (const char* place : {"{instance_url}", "{instance_url}/x"})
    CHECK(fault(place, {{"instance_url", evil}}) == "refused");
  CHECK(fault("https://{host}/api", {{"host", evil}}) == "refused");
  CHECK(fault("https://{dc}.api.example.com", {{"dc", evil}}) == "refused");
  if (std::string(evil) != "-a-")
    CHECK(fault("https://api.example.com/{site.id}/x", {{"site.id", evil}}) == "refused");
}

TEST_CASE("a whole URL that an answer tells is an https one and nothing beside", "[api-base]") {
  const auto* url =
      GENERATE("http://a.example", "ftp://a.example", "javascript:alert(1)", "https:a.example",
               "https:///a.example", "https://", "https://u@a.example", "https://u:p@a.example",
               "https://a.example#f", "https://a.example?q=1", "https://a.example/?",
               "https://a.example/a b", "https://a.example/../b", "https://a.example//b",
               "https://a.example/%2e%2e/b", "https://a.example\\@evil.com", "https://a.example:0",
               "https://a%be.example", "https://a.example:99999", "https://a.example\r\n",
               "HTTPS//a.example", "http://127.0.0.1:1");
  CAPTURE(url);
  CHECK(fault("{instance_url}", {{"instance_url", url}}) == "refused");
  CHECK(*base("{instance_url}", {{"instance_url", "http://127.0.0.1:1"}}, true) ==
        "http://127.0.0.1:1");
  CHECK_FALSE(base("{instance_url}", {{"instance_url", "http://a.example"}}, true));
}

TEST_CASE("a host that an answer tells is a name, and a part of one a label", "[api-base]") {
  for (const char* host :
       {"localhost", "127.0.0.1", "0x7f.1", "2130706433", "[::1]", "a.example.", ".a.example",
        "a..example", "a_b.example", "-a.example", "a.example:8443", "169.254.169.254", "a.1"})
    CHECK(fault("https://{host}/", {{"host", host}}) == "refused");
  for (const char* label : {"a.b", "a_b", "-a", "a-"})
    CHECK(fault("https://{dc}.api.example.com", {{"dc", label}}) == "refused");
  CHECK(fault("https://{dc}.api.example.com", {{"dc", std::string(64, 'a')}}) == "refused");
  CHECK(fault("{instance_url}", {{"instance_url", true}}) == "refused");
}

TEST_CASE("without what its address hangs on an API is nowhere", "[api-base]") {
  CHECK(fault("{instance_url}", {}) == "refused");
  CHECK(fault("{instance_url}", {{"host", "a.example"}}) == "refused");
  const auto none = base("", {});
  REQUIRE_FALSE(none);
  CHECK(none.error().code == ErrorCode::provider_misconfigured);
}

TEST_CASE("an address that lets an answer decide more is refused where it is registered",
          "[api-base]") {
  for (const char* good :
       {"", "https://api.example/v1", "{instance_url}", "{instance_url}/v1", "https://{host}",
        "https://{host}/v1", "https://{dc}.api.example", "https://x-{dc}.api.example.com:8443/v1",
        "https://api.example/{site.id}", "{instance_url}/{dc}/{site.id}"})
    CHECK(check_api_base(provider(good)));
  for (const char* evil : {"{instance_url}.example",
                           "{instance_url}x",
                           "{instance_url}:443",
                           "https://{host}:443/",
                           "https://{host}@api.example/",
                           "https://u{dc}@api.example.com",
                           "https://{dc}.com/",
                           "https://{dc}/{",
                           "https://api.{dc}/",
                           "https://{dc}.{host}.example.com/",
                           "https://{dc}{dc}.api.example.com",
                           "https://api.example:{dc}/",
                           "ht{dc}s://api.example/",
                           "{dc}://api.example.com/",
                           "https://api.example/?a={dc}",
                           "https://api.example/#{dc}",
                           "https://api.example/a{dc}",
                           "https://api.example/{dc}b",
                           "https://api.example/{nobody}",
                           "https://api.example/{}",
                           "https://api.example/}",
                           "http://{host}/",
                           "{instance_url}?a=b#c",
                           "//{host}/",
                           "{instance_url}/../{",
                           "https://{dc}.a.b@evil.example/"}) {
    CAPTURE(evil);
    const auto checked = check_api_base(provider(evil));
    REQUIRE_FALSE(checked);
    CHECK(checked.error().code == ErrorCode::invalid_field);
    CHECK_FALSE(checked.error().field.empty());
  }
  auto below = provider("{instance_url}");
  below.user_info_endpoint = "/me";
  CHECK_FALSE(check_api_base(below));
}
