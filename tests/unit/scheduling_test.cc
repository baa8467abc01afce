#include <vector>

#include "common/clock.h"
#include "daemon/token/per_host_limit.h"
#include "daemon/token/single_flight.h"
#include "tests/support/catch.h"

using namespace nexus;

TEST_CASE("time does not go back, whatever the wall clock is set to", "[clock]") {
  constexpr std::int64_t wall = 1'700'000'000'000;
  ForwardClock clock;
  CHECK(clock.at(wall, 1000) == wall / 1000);
  CHECK(clock.at(wall + 60'000, 61'000) == wall / 1000 + 60);
  // Set back by a day: what was to expire in an hour still does.
  CHECK(clock.at(wall + 120'000 - 86'400'000, 121'000) == wall / 1000 + 120);
  CHECK(clock.at(wall + 3'720'000 - 86'400'000, 3'721'000) == wall / 1000 + 3720);
  // Set right again.
  CHECK(clock.at(wall + 3'780'000, 3'781'000) == wall / 1000 + 3780);
  // Set forward: the wall is believed.
  CHECK(clock.at(wall + 3'840'000 + 86'400'000, 3'841'000) == wall / 1000 + 3840 + 86400);
  // And back: not below what was said before.
  CHECK(clock.at(wall + 3'900'000, 3'901'000) == wall / 1000 + 3900 + 86400);
}

TEST_CASE("a clock that is slewed by a little is believed", "[clock]") {
  ForwardClock clock;
  CHECK(clock.at(1'000'000, 0) == 1000);
  CHECK(clock.at(1'009'000, 10'000) == 1009);
}

TEST_CASE("few go to a host at once, those that are awaited first", "[gate]") {
  PerHostLimit gate(2);
  std::vector<int> went;
  std::vector<int> had_waited;  // they look again at what may have changed meanwhile
  const auto enter = [&](int who, bool background, const char* host = "a") {
    gate.enter(host, background, [&, who](bool waited) {
      went.push_back(who);
      if (waited) had_waited.push_back(who);
    });
  };
  enter(1, true);
  enter(2, true);
  enter(3, true);
  enter(4, false);
  enter(5, false, "b");
  CHECK(went == std::vector<int>{1, 2, 5});
  gate.leave("a");
  CHECK(went == std::vector<int>{1, 2, 5, 4});
  gate.leave("a");
  CHECK(went == std::vector<int>{1, 2, 5, 4, 3});
  gate.leave("a");
  gate.leave("a");
  gate.leave("b");
  enter(6, true);
  CHECK(went.back() == 6);
  CHECK(had_waited == std::vector<int>{4, 3});
}

TEST_CASE("a connection has one flight at a time, and who wants another target waits for the next",
          "[flights]") {
  SingleFlight flights;
  std::vector<std::string> told;
  const auto waiter = [&](const std::string& name, const std::string& scopes) {
    return SingleFlight::Waiter{.target = {scopes, ""}, .done = [&told, name](const Result<void>&) {
                                  told.push_back(name);
                                }};
  };
  const auto land = [&] {
    bool onward = false;
    for (const auto& done : flights.finish("conn_1", onward)) done.done({});
    return onward;
  };
  CHECK(flights.join("conn_1", waiter("whole", "")));
  CHECK_FALSE(flights.join("conn_1", waiter("read", "read")));
  CHECK_FALSE(flights.join("conn_1", waiter("whole too", "")));
  CHECK_FALSE(flights.join("conn_1", waiter("read too", "read")));
  CHECK(flights.join("conn_2", waiter("another connection", "")));
  CHECK(flights.target("conn_1").is_everything());

  CHECK(land());
  CHECK(told == std::vector<std::string>{"whole", "whole too"});
  CHECK(flights.target("conn_1").scopes == "read");
  // Who comes now joins the flight that is under way.
  CHECK_FALSE(flights.join("conn_1", waiter("read at last", "read")));
  CHECK_FALSE(land());
  CHECK(told.size() == 5);
  CHECK_FALSE(flights.is_under_way("conn_1"));
  CHECK(flights.is_under_way("conn_2"));
}
