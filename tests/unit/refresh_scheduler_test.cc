// The background with its event loop: what it begins, in which order, and how much at once.
#include "tests/support/catch.h"
#include "tests/support/store_rows.h"
#include "tests/support/test_home.h"

using namespace nexus;
using namespace nexus::test;

TEST_CASE("what is due is refreshed by who waits longest", "[refresh][scheduler]") {
  TestHome home({.workers = 1, .schedulers = true});
  for (const UnixTime lifetime : {1000, 100, 500}) {
    home.server().behave({.lifetime = lifetime});
    home.active_connection();
  }
  home.clock().advance(3600);
  home.ring();
  REQUIRE(home.provider().sees_refreshes(3));
  std::vector<std::string> order;
  for (const auto& request : home.provider().refreshes()) order.push_back(request["refresh_token"]);
  CHECK(order == std::vector<std::string>{"rt-2", "rt-3", "rt-1"});
}

TEST_CASE("at most 32 refreshes of the background are under way, the others follow",
          "[refresh][scheduler]") {
  TestHome home({.schedulers = true});
  constexpr std::size_t kHosts = 9;
  for (std::size_t i = 0; i < 4 * kHosts; ++i)
    home.active_connection({.provider = "acme-" + std::to_string(i % kHosts)});
  home.clock().advance(3600);
  home.provider().hold();
  home.ring();
  REQUIRE(home.provider().sees_refreshes(32));
  home.ring();
  CHECK(home.provider().refreshes().size() == 32);
  home.provider().release();
  CHECK(home.provider().sees_refreshes(4 * kHosts));
}

TEST_CASE("a daemon that starts refreshes what came due while there was none",
          "[refresh][scheduler]") {
  TestHome home({.schedulers = true});
  const auto id = home.active_connection();
  home.clock().advance(3600);
  home.reopen();
  REQUIRE(home.provider().sees_refreshes(1));
  CHECK(home.eventually([&] { return home.stored(id, "access_token") == "at-2"; }));
}

TEST_CASE("a daemon that starts asks providers again to forget what is due",
          "[refresh][scheduler]") {
  TestHome home({.schedulers = true});
  const auto id = home.active_connection();
  home.provider().answers(answers::unavailable(503), "/revoke");
  const auto report = home.disconnect(id);
  REQUIRE(report);
  REQUIRE(report->pending_at_provider);
  home.clock().advance(60);
  home.reopen();
  CHECK(home.eventually([&] { return home.audited("grant_revoked") == 1; }));
  CHECK(fields_of(home.store(), id).empty());
}
