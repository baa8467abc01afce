// A store as it is at one moment, beside the one that goes on; and what a backup has and lacks.
#include "tests/support/any_store.h"
#include "tests/support/store_rows.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/test_vault.h"

using namespace nexus;
using namespace nexus::test;

TEST_CASE("a copy of a store has what there was, and opens by itself", "[store]") {
  const auto store = any_store();
  put_provider(**store);
  make_active(**store, connection_row("conn_a", "first"));
  const TemporaryDirectory place;
  REQUIRE((*store)->copy_into(place.path()));
  make_active(**store, connection_row("conn_b", "second"));

  const auto copy = open_sqlite_store(place.path());
  REQUIRE(copy);
  REQUIRE((*copy)->authenticate_rows(test_vault(), std::nullopt));
  const auto there = (*copy)->connection("conn_a");
  REQUIRE((there && *there));
  CHECK((*there)->alias == "first");
  CHECK((*there)->status == kActive);
  CHECK_FALSE(*(*copy)->connection("conn_b"));
  CHECK((*copy)->altered_rows()->empty());
}

TEST_CASE("a vault that was restored says so until it is accepted", "[store]") {
  const auto store = any_store();
  put_provider(**store);
  REQUIRE((*store)->mark_restored(1'800'000'000));
  const TemporaryDirectory place;
  REQUIRE((*store)->copy_into(place.path()));
  const auto opened = [&] {
    auto copy = open_sqlite_store(place.path());
    REQUIRE(copy);
    REQUIRE((*copy)->authenticate_rows(test_vault(), std::nullopt));
    return *std::move(copy);
  };
  const std::string restored = "it was restored from a backup of 2027-01-15T08:00:00Z";
  {
    const auto copy = opened();
    CHECK(*copy->keep_tally("", false) == restored);
    put_provider(*copy, "p-other", "other");
  }
  {
    const auto copy = opened();
    CHECK(*copy->keep_tally("", false) == restored);
    REQUIRE(copy->accept_tally());
  }
  CHECK(opened()->keep_tally("", false)->empty());
}

TEST_CASE("a backup beside the vault that is here: what it lacks, and what it would bring back",
          "[store]") {
  const auto store = any_store();
  put_provider(**store);
  for (const auto* id : {"conn_a", "conn_b", "conn_c"}) make_active(**store, connection_row(id));
  const TemporaryDirectory backup;
  REQUIRE((*store)->copy_into(backup.path()));
  make_active(**store, connection_row("conn_d"));
  const auto b = (*store)->connection("conn_b");
  REQUIRE(*(*store)->save_refresh("conn_b", (*b)->token,
                                  {sealed("conn_b", "access_token", "sealed", 2),
                                   sealed("conn_b", "refresh_token", "sealed", 2)},
                                  std::nullopt, kNow, kNow));
  REQUIRE((*store)->revoke("conn_c", "", std::nullopt, kNow));
  const TemporaryDirectory here;
  REQUIRE((*store)->copy_into(here.path()));
  const auto difference = compare_sqlite_stores(here.path(), backup.path());
  REQUIRE(difference);
  CHECK(difference->providers == 1);
  CHECK(difference->connections == 3);
  CHECK(difference->only_here == 1);
  CHECK(difference->newer_here == 1);
  CHECK(difference->ended_here == 1);
  const TemporaryDirectory nothing;
  CHECK_FALSE(compare_sqlite_stores(nothing.path(), backup.path()));
}
