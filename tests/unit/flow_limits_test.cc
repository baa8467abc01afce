#include "tests/support/catch.h"
#include "tests/support/test_home.h"

using namespace nexus;
using namespace nexus::test;

TEST_CASE("an attempt that failed is known for 30 days", "[flows]") {
  constexpr UnixTime kDay = 24 * 3600;
  TestHome home;
  REQUIRE(home.register_provider());
  const auto denied = home.request();
  REQUIRE(denied);
  REQUIRE(
      home.answer(denied->redirect_uri, {{"error", "access_denied"}, {"state", denied->state}}));
  home.clock().advance(kDay);
  std::vector<std::string> unanswered;
  for (int i = 0; i < 3; ++i) unanswered.push_back(home.request()->id);
  const auto active = home.active_connection();
  home.clock().advance(600);
  home.sweep_flows();
  home.clock().advance(29 * kDay - 601);
  home.sweep_flows();
  CHECK(home.connection(denied->id).status == "failed");
  home.clock().advance(1);
  home.sweep_flows();
  CHECK(home.find(denied->id).error().code == ErrorCode::connection_not_found);
  for (const auto& id : unanswered) CHECK(home.connection(id).status == "failed");
  home.clock().advance(kDay + 600);
  home.sweep_flows();
  for (const auto& id : unanswered) CHECK_FALSE(home.find(id));
  CHECK(home.find(active));
}

TEST_CASE("an attempt is not forgotten sooner where the clock was ahead and is corrected",
          "[flows]") {
  TestHome home;
  home.clock().correct_wall(365 * 24 * 3600);
  REQUIRE(home.register_provider());
  const auto denied = home.request();
  REQUIRE(denied);
  REQUIRE(
      home.answer(denied->redirect_uri, {{"error", "access_denied"}, {"state", denied->state}}));
  home.sweep_flows();
  CHECK(home.connection(denied->id).status == "failed");
}

TEST_CASE("no key has more connections waiting than it may", "[flows]") {
  TestHome home({.most_pending = 5, .most_pending_of_key = 2});
  REQUIRE(home.register_provider());
  Caller app;
  app.via = Caller::Via::gateway;
  app.key = "k1";
  const auto first = home.request({.caller = app});
  REQUIRE(first);
  home.clock().advance(100);
  const auto second = home.request({.caller = app});
  REQUIRE(second);
  const auto refused = home.request({.caller = app});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::rate_limited);
  CHECK(refused.error().retry_after_s == 500);
  CHECK(refused.error().hint.find("limits.pending_per_key") != std::string::npos);
  // Neither a restart nor a key of another makes room; an answer, an end and time do.
  home.reopen();
  CHECK_FALSE(home.request({.caller = app}));
  auto other = app;
  other.key = "k2";
  REQUIRE(home.request({.caller = other}));
  REQUIRE(home.consent(*second));
  const auto third = home.request({.caller = app});
  REQUIRE(third);
  CHECK_FALSE(home.request({.caller = app}));
  REQUIRE(home.disconnect(third->id));
  REQUIRE(home.request({.caller = app}));
  CHECK_FALSE(home.request({.caller = app}));
  home.clock().advance(500);
  CHECK(home.request({.caller = app}));
}

TEST_CASE("no more connections wait than may in all, whoever asks", "[flows]") {
  TestHome home({.most_pending = 3});
  REQUIRE(home.register_provider());
  for (int i = 0; i < 3; ++i) REQUIRE(home.request());
  const auto refused = home.request();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::overloaded);
  CHECK(refused.error().retry_after_s == 600);
  CHECK(refused.error().hint.find("limits.pending") != std::string::npos);
  CHECK(home.audited("connection.created") == 3);
  home.clock().advance(600);
  CHECK(home.request());
}
