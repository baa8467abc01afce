// What ends with what allowed it.
#include "daemon/permit.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "daemon/connection_permits.h"
#include "tests/support/catch.h"
#include "tests/support/store_rows.h"
#include "tests/support/test_store.h"

using namespace nexus;
using namespace nexus::test;

namespace {

Error because(const std::string& why) {
  return {ErrorCode::access_denied, why};
}

}  // namespace

TEST_CASE("a lease ends once, with the first of its permits that is withdrawn", "[permit]") {
  const auto key = std::make_shared<Permit>();
  const auto connection = std::make_shared<Permit>();
  std::vector<std::string> told;
  const auto lease = Lease::under({key, connection});
  lease->on_end([&](const Error& why) { told.push_back(why.message); });
  CHECK_FALSE(lease->why().has_value());
  CHECK(connection->withdraw(because("gone")) == 1);
  CHECK(connection->withdraw(because("gone twice")) == 0);
  CHECK(key->withdraw(because("gone as well")) == 0);
  CHECK(told == std::vector<std::string>{"gone"});
  CHECK(lease->why().has_value());
}

TEST_CASE("a lease under a permit that is withdrawn already is over from the start", "[permit]") {
  const auto permit = std::make_shared<Permit>();
  CHECK(permit->withdraw(because("gone")) == 0);
  const auto lease = Lease::under({std::make_shared<Permit>(), permit});
  CHECK(lease->why().has_value());
  std::string told;
  lease->on_end([&](const Error& why) { told = why.message; });
  CHECK(told == "gone");
}

TEST_CASE("only whoever holds the lease by then is told, and only of his own", "[permit]") {
  const auto permit = std::make_shared<Permit>();
  int first = 0;
  int second = 0;
  int others = 0;
  const auto other = Lease::under({std::make_shared<Permit>()});
  other->on_end([&](const Error&) { ++others; });
  auto dropped = Lease::under({permit});
  dropped->on_end([&](const Error&) { ++others; });
  dropped.reset();
  const auto lease = Lease::under({permit});
  lease->on_end([&](const Error&) { ++first; });
  lease->on_end([&](const Error&) { ++second; });
  CHECK(permit->withdraw(because("gone")) == 1);
  CHECK(first == 0);
  CHECK(second == 1);
  CHECK(others == 0);
}

TEST_CASE("whoever is told may let go of the lease, and of the permit", "[permit]") {
  auto permit = std::make_shared<Permit>();
  auto lease = Lease::under({permit});
  lease->on_end([&](const Error&) {
    lease.reset();
    permit.reset();
  });
  const auto held = permit;
  CHECK(held->withdraw(because("gone")) == 1);
  CHECK_FALSE(lease);
}

TEST_CASE("none of those that begin while their permit is withdrawn is forgotten", "[permit]") {
  constexpr int kEach = 2000;
  const auto permit = std::make_shared<Permit>();
  std::atomic<int> told{0};
  const auto begin = [&] {
    std::vector<std::shared_ptr<Lease>> leases;
    for (int i = 0; i < kEach; ++i) {
      leases.push_back(Lease::under({permit}));
      leases.back()->on_end([&](const Error&) { ++told; });
      Lease::under({permit})->on_end({});
    }
    while (!leases.back()->why()) std::this_thread::yield();
    return leases;
  };
  std::vector<std::shared_ptr<Lease>> one;
  std::vector<std::shared_ptr<Lease>> another;
  std::thread first([&] { one = begin(); });
  std::thread second([&] { another = begin(); });
  permit->withdraw(because("gone"));
  first.join();
  second.join();
  CHECK(told == 2 * kEach);
}

TEST_CASE("what goes on with a connection ends once that is active no more", "[permit]") {
  const auto store = store_kinds().front().make();
  put_provider(**store);
  for (const auto* id : {"conn_1", "conn_2", "conn_3"}) make_active(**store, connection_row(id));
  ConnectionPermits permits(**store);
  std::vector<std::string> told;
  const auto goes_on = [&](const std::string& id) {
    auto lease = Lease::under({permits.of(id)});
    lease->on_end([&told, id](const Error& why) { told.push_back(id + " " + why.wire()); });
    return lease;
  };
  const auto first = goes_on("conn_1");
  const auto again = goes_on("conn_1");
  const auto second = goes_on("conn_2");
  const auto unknown = goes_on("conn_9");
  CHECK(permits.review("conn_1") == 0);
  CHECK(permits.review("conn_3") == 0);
  REQUIRE((*store)->revoke("conn_1", "{}", std::nullopt, kNow));
  REQUIRE((*store)->set_status("conn_2", kMoving, "moving", "it is moved", kNow));
  CHECK(permits.review("conn_1") == 2);
  CHECK(told == std::vector<std::string>{"conn_1 connection_revoked", "conn_1 connection_revoked"});
  told.clear();
  permits.review_all();
  std::sort(told.begin(), told.end());
  CHECK(told ==
        std::vector<std::string>{"conn_2 connection_moving", "conn_9 connection_not_found"});
  // What comes back goes on anew.
  REQUIRE((*store)->set_status("conn_2", kActive, "", "", kNow));
  const auto later = goes_on("conn_2");
  CHECK_FALSE(later->why().has_value());
  CHECK(permits.review("conn_2") == 0);
}
