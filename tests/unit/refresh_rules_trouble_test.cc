// A provider that is overloaded or away: the rules F10, F11, F12 and F16.
#include <algorithm>
#include <set>

#include "tests/support/catch.h"
#include "tests/support/test_home.h"

using namespace nexus;
using namespace nexus::test;

namespace {

std::string http_date(std::time_t at) {
  std::tm parts{};
  gmtime_r(&at, &parts);
  char text[64];
  std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return text;
}

}  // namespace

TEST_CASE("F10 a provider in trouble is asked less and less", "[refresh][F10]") {
  TestHome home;
  const auto id = home.active_connection();
  home.clock().advance(3600);
  home.provider().always_answers(answers::unavailable(500));
  for (int second = 0; second < 120; ++second) {
    home.refresh_due();
    CHECK_FALSE(home.token(id));
    home.clock().advance(1);
  }
  CHECK(home.provider().refreshes().size() <= 8);
  CHECK(home.provider().refreshes().size() >= 3);
}

TEST_CASE("F10 however long the trouble lasts, it is asked again every quarter of an hour or so",
          "[refresh][F10]") {
  TestHome home;
  const auto id = home.active_connection();
  home.clock().advance(3600);
  home.provider().always_answers(answers::unavailable(500));
  UnixTime longest = 0;
  for (int failure = 0; failure < 15; ++failure) {
    REQUIRE(home.refresh_due() == 1);
    const auto wait = home.connection(id).refresh_at.value() - home.clock().now();
    CHECK(wait > 0);
    longest = std::max(longest, wait);
    home.clock().advance(wait);
  }
  CHECK(longest >= 900);
  CHECK(longest <= 900 + 225);
  home.provider().always_answers({});
  REQUIRE(home.refresh_due() == 1);
  CHECK(home.connection(id).failures == 0);
}

TEST_CASE("F10 what one connection finds out about its provider the others need not",
          "[refresh][F10]") {
  TestHome home;
  const auto first = home.active_connection();
  for (int i = 0; i < 5; ++i) home.active_connection();
  home.clock().advance(3600);
  home.provider().answers(answers::unavailable(500));
  REQUIRE_FALSE(home.token(first));
  CHECK(home.refresh_due() == 0);
  CHECK(home.provider().refreshes().size() == 1);
  home.clock().advance(30);
  CHECK(home.refresh_due() == 6);
}

TEST_CASE("F10 the more find out that a provider is in trouble, the longer the others wait",
          "[refresh][F10]") {
  TestHome home;
  for (int i = 0; i < 60; ++i) {
    home.active_connection();
    if (i % 6 == 0) home.clock().advance(1);  // due in the course of ten seconds
  }
  home.clock().advance(3600 - 6 * 60 - 75);
  home.provider().always_answers(answers::unavailable(500));
  while (home.refresh_due() == 0) home.clock().advance(1);
  for (int second = 0; second < 10; ++second) {
    home.clock().advance(1);
    home.refresh_due();
  }
  CHECK(home.provider().refreshes().size() <= 40);
  for (int second = 0; second < 60; ++second) {
    home.clock().advance(1);
    home.refresh_due();
  }
  const auto before = home.provider().refreshes().size();
  CHECK(before < 120);
  home.provider().always_answers({});
  home.clock().advance(900);
  home.refresh_due();
  CHECK(home.provider().refreshes().size() == before + 60);
}

TEST_CASE("F10 a person who insists need not wait for the back-off", "[refresh][F10]") {
  TestHome home;
  const auto id = home.active_connection();
  home.clock().advance(3600);
  home.provider().answers(answers::unavailable(500));
  REQUIRE_FALSE(home.token(id));
  REQUIRE_FALSE(home.token(id));
  CHECK(home.provider().refreshes().size() == 1);
  CHECK(home.refresh(id));
  CHECK(home.provider().refreshes().size() == 2);
}

TEST_CASE("F10 a Retry-After of less than a minute binds even a person who insists",
          "[refresh][F10][F11]") {
  TestHome home;
  const auto id = home.active_connection();
  home.clock().advance(3600);
  home.provider().answers(answers::unavailable(429, "30"));
  REQUIRE_FALSE(home.token(id));
  home.clock().advance(29);
  const auto too_early = home.refresh(id);
  REQUIRE_FALSE(too_early);
  CHECK(too_early.error().retry_after_s == 1);
  CHECK(home.provider().refreshes().size() == 1);
  home.clock().advance(1);
  CHECK(home.refresh(id));
}

TEST_CASE("F10 a long Retry-After binds the background and fetches, not a person who insists",
          "[refresh][F10][F11]") {
  TestHome home;
  const auto id = home.active_connection();
  home.clock().advance(3600);
  home.provider().answers(answers::unavailable(503, "1800"));
  REQUIRE_FALSE(home.token(id));
  home.clock().advance(1799);
  CHECK(home.refresh_due() == 0);
  CHECK_FALSE(home.token(id));
  CHECK(home.provider().refreshes().size() == 1);
  CHECK(home.refresh(id));
}

TEST_CASE("F11 nothing is sent before Retry-After has passed, absurd values are clamped",
          "[refresh][F11]") {
  TestHome home;
  const auto id = home.active_connection();
  // A date is held against the wall clock, which may have been set since.
  home.clock().correct_wall(600);
  const auto date_in = [&](UnixTime seconds) {
    return http_date(home.clock().wall()() + 3600 + seconds);
  };
  struct Told {
    int status;
    std::string header;
    UnixTime at_least;
    UnixTime at_most;
  };
  const Told all[] = {{503, date_in(40), 40, 40},
                      {503, "6", 6, 6},
                      {429, "120", 120, 120},
                      {503, "99999999999999999999", 3600, 3600},
                      {429, date_in(9'000'000), 3600, 3600},
                      // Our own back-off.
                      {503, "soon", 2, 3},
                      {503, "-5", 2, 3},
                      {503, "", 2, 3},
                      {503, date_in(-60), 2, 3},
                      {500, "600", 2, 3}};
  for (const auto& told : all) {
    CAPTURE(told.status, told.header);
    home.clock().advance(3600);
    home.provider().answers(answers::unavailable(told.status, told.header));
    REQUIRE_FALSE(home.token(id));
    const auto sent = home.provider().refreshes().size();
    const auto wait = home.connection(id).refresh_at.value() - home.clock().now();
    CHECK(wait >= told.at_least);
    CHECK(wait <= told.at_most);
    home.clock().advance(wait - 1);
    CHECK(home.refresh_due() == 0);
    const auto early = home.token(id);
    REQUIRE_FALSE(early);
    CHECK(early.error().retry_after_s == 1);
    CHECK(home.provider().refreshes().size() == sent);
    home.clock().advance(1);
    CHECK(home.token(id));
  }
}

TEST_CASE("F12 while refreshing fails a token that is still good is served", "[refresh][F12]") {
  TestHome home;
  const auto id = home.active_connection();
  home.provider().always_answers(answers::unavailable(500));
  home.clock().advance(3600 - 300);
  for (const UnixTime passed : {0, 100, 199}) {
    home.clock().advance(passed);
    const auto token = home.token(id);
    REQUIRE(token);
    CHECK(token->access_token == "at-1");
  }
  CHECK(home.provider().refreshes().size() >= 1);
  // A person who wants a new one is told that there is none.
  CHECK_FALSE(home.refresh(id));
}

TEST_CASE("F12 an expired token is never served: the caller is told when to come again",
          "[refresh][F12]") {
  TestHome home;
  const auto id = home.active_connection();
  home.provider().always_answers(answers::unavailable(500));
  home.clock().advance(3599);
  REQUIRE(home.token(id));
  home.clock().advance(1);
  const auto token = home.token(id);
  REQUIRE_FALSE(token);
  CHECK(token.error().code == ErrorCode::upstream_error);
  CHECK(token.error().connection_id == id);
  CHECK(token.error().provider == "acme");
  const auto again = home.token(id);
  REQUIRE_FALSE(again);
  CHECK(again.error().retry_after_s > 0);
  CHECK(again.error().retry_after_s <= 60);
}

TEST_CASE("F12 who asks first is told when to come again, as those are who ask meanwhile",
          "[refresh][F12]") {
  TestHome home;
  const auto id = home.active_connection();
  home.provider().always_answers(answers::unavailable(500));
  home.clock().advance(3600);
  const auto first = home.token(id);
  REQUIRE_FALSE(first);
  CHECK(first.error().retry_after_s > 0);
  CHECK(home.token(id).error().retry_after_s == first.error().retry_after_s);
  CHECK(home.provider().refreshes().size() == 1);
  home.clock().advance(first.error().retry_after_s);
  home.provider().always_answers({});
  CHECK(home.token(id));
}

TEST_CASE("F16 after a long sleep with no network yet, tokens are refreshed when there is one",
          "[refresh][F16]") {
  TestHome home;
  constexpr std::size_t kMany = 10;
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < kMany; ++i) ids.push_back(home.active_connection());
  home.clock().advance(8 * 3600);
  home.provider().always_answers(answers::unreachable());
  for (int second = 0; second < 30; ++second) {
    home.refresh_due();
    home.clock().advance(1);
  }
  // After waits of at least 2, 4, 8 and 16 seconds: the fifth is not due within 30.
  CHECK(home.provider().refreshes().size() <= 4 * kMany);
  // Whoever asks may be the one for whom the fifth is due.
  CHECK_FALSE(home.token(ids[0]));
  CHECK(home.provider().refreshes().size() <= 4 * kMany + 1);
  for (const auto& id : ids) CHECK(home.connection(id).status == "active");
  CHECK(home.told_of_attention().empty());

  home.provider().always_answers({});
  const auto before = home.provider().refreshes().size();
  home.clock().advance(60);
  CHECK(home.refresh_due() == kMany);
  CHECK(home.provider().refreshes().size() == before + kMany);
  std::set<UnixTime> next;
  for (const auto& id : ids) {
    CHECK(home.connection(id).failures == 0);
    next.insert(home.connection(id).refresh_at.value());
  }
  // Spread by chance, so that they do not all come at once the next time.
  CHECK(next.size() > 1);
}
