#include "daemon/token/refresh_policy.h"

#include "daemon/oauth/token_request.h"
#include "tests/support/catch.h"

using namespace nexus;

namespace {

TokenFacts token(UnixTime life, UnixTime obtained_at = 1000) {
  return {"Bearer", "", obtained_at, obtained_at + life};
}

}  // namespace

TEST_CASE("a token is refreshed in the background before a fetch would have to", "[refresh]") {
  for (const UnixTime life : {10, 60, 300, 1800, 3600, 86400}) {
    const auto facts = token(life);
    for (const double chance : {0.0, 0.5, 1.0}) {
      const auto at = background_refresh_at(facts, chance);
      REQUIRE(at);
      CHECK(*at < *facts.expires_at - refresh_margin(facts));
      CHECK(*at > facts.obtained_at);
      CHECK(*facts.expires_at - refresh_margin(facts) - *at <= 61);
    }
  }
  CHECK_FALSE(background_refresh_at(token(1), 0.5));
  CHECK_FALSE(background_refresh_at({"Bearer", "", 1000, {}}, 0.5));
}

TEST_CASE("failures are followed by longer and longer waits, 15 minutes at the most", "[refresh]") {
  UnixTime passed = 0;
  int requests = 1;
  for (int failures = 1; passed <= 120; ++failures) {
    passed += back_off(failures, 0);
    if (passed <= 120) ++requests;
  }
  CHECK(requests <= 8);
  CHECK(back_off(1, 0) == 2);
  CHECK(back_off(5, 0) == 32);
  CHECK(back_off(60, 0) == 900);
  CHECK(back_off(1'000'000'000'000, 1) <= 900 + 225);
  CHECK(back_off(0, 0) > 0);
}

TEST_CASE("Retry-After is a number or a date, clamped, or nothing", "[refresh]") {
  const UnixTime now = 784111770;  // 1994-11-06T08:49:30Z
  CHECK(oauth::parse_retry_after("6", now) == 6);
  CHECK(oauth::parse_retry_after(" 120 ", now) == 120);
  CHECK(oauth::parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now) == 7);
  CHECK(oauth::parse_retry_after("Sun, 06 Nov 1994 08:49:00 GMT", now) == 0);
  CHECK(oauth::parse_retry_after("Fri, 31 Dec 2100 23:59:59 GMT", now) == 3600);
  CHECK(oauth::parse_retry_after("99999999999999999999", now) == 3600);
  for (const char* bad : {"", "soon", "-5", "1e9", "6 s"})
    CHECK(oauth::parse_retry_after(bad, now) == 0);
}

TEST_CASE("a token from the future is not trusted to live as long as it says", "[refresh]") {
  CHECK_FALSE(is_from_the_future(token(3600, 1000), 1000));
  CHECK_FALSE(is_from_the_future(token(3600, 1050), 1000));
  CHECK(is_from_the_future(token(3600, 1000 + 86400), 1000));
  CHECK_FALSE(is_from_the_future({"Bearer", "", 99999, {}}, 1000));
}
