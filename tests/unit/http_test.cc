#include "daemon/http/request_parser.h"
#include "daemon/pages/callback_page.h"
#include "tests/support/catch.h"

using namespace nexus;
using namespace nexus::http;

namespace {

Parsed::State state_of(const std::string& text) {
  return parse_request(text).state;
}

}  // namespace

TEST_CASE("a well-formed request is read in full", "[http]") {
  const auto parsed = parse_request(
      "POST /v1/a%2Fb/c?x=1+2&y=%41 HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbodyGET /next");
  REQUIRE(parsed.state == Parsed::State::complete);
  CHECK(parsed.request.segments == std::vector<std::string>{"v1", "a/b", "c"});
  CHECK(parsed.request.query_value("x") == "1 2");
  CHECK(parsed.request.query_value("y") == "A");
  CHECK(parsed.request.body == "body");
  CHECK(parsed.request.keep_alive);
}

TEST_CASE("a query that cannot be decoded is told, and read as far as it can be", "[http]") {
  for (const auto* query : {"a=1&b=%zz&c", "a=1&b=x%00&c=", "a=1&b=%&c"}) {
    const auto parsed =
        parse_request("GET /x?" + std::string(query) + " HTTP/1.1\r\nHost: h\r\n\r\n");
    REQUIRE(parsed.state == Parsed::State::complete);
    CHECK(parsed.request.query_is_malformed);
    CHECK(parsed.request.query_value("a") == "1");
    CHECK(parsed.request.query_value("b") == "\xef\xbf\xbd");
    CHECK(parsed.request.query.size() == 3);
  }
}

TEST_CASE("what could be read in two ways is refused", "[http]") {
  for (const auto* text :
       {"GET / HTTP/1.1\nHost: h\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nA: 1\nB: 2\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\n folded\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : h\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
        "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\nx",
        "GET / HTTP/1.1\r\nHost: h\r\nContent-Length:\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: \r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc",
        "GET http://evil/ HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET //evil HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /a/../b HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /%2e%2e/b HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /%00 HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /  HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET / HTTP/2.0\r\nHost: h\r\n\r\n",
        "\x16\x03\x01\x02\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\rX: y\r\n\r\n"})
    CHECK(state_of(text) == Parsed::State::refused);
  CHECK(state_of(std::string("GET / HTTP/1.1\r\nHost: h\r\nA: \0b\r\n\r\n", 35)) ==
        Parsed::State::refused);
}

TEST_CASE("limits hold before the request is complete", "[http]") {
  CHECK(parse_request("GET /" + std::string(9000, 'a')).error == ErrorCode::headers_too_large);
  CHECK(parse_request("GET / HTTP/1.1\r\nHost: h\r\nA: " + std::string(40'000, 'a')).error ==
        ErrorCode::headers_too_large);
  CHECK(parse_request("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\n\r\n").error ==
        ErrorCode::body_too_large);
  CHECK(state_of("GET / HTTP/1.1\r\nHo") == Parsed::State::incomplete);
  std::string many = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (int i = 0; i < 101; ++i) many += "A: 1\r\n";
  CHECK(parse_request(many + "\r\n").error == ErrorCode::headers_too_large);
}

TEST_CASE("every prefix of a request is incomplete, never misread", "[http]") {
  const std::string text = "POST /v1/x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}";
  for (std::size_t i = 0; i < text.size(); ++i)
    CHECK(state_of(text.substr(0, i)) == Parsed::State::incomplete);
}

TEST_CASE("the page shows no provider's text as markup", "[pages]") {
  const std::string markup = "\"><img src=x onerror=y>";
  const auto page = callback_page({.tone = PageTone::failure,
                                   .title = "<script>x</script>",
                                   .text = markup,
                                   .lead = markup,
                                   .command = markup,
                                   .receipt = markup});
  CHECK(page.html.find("<script>x") == std::string::npos);
  CHECK(page.html.find("<img") == std::string::npos);
  CHECK(page.content_security_policy.find("default-src 'none'") == 0);
  CHECK(page.content_security_policy.find("unsafe") == std::string::npos);
}
