#include "tests/support/any_store.h"
#include "tests/support/store_rows.h"

using namespace nexus;
using namespace nexus::test;

namespace {

using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE("a refresh that is about to be sent is on record until its answer is stored", "[store]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  make_active(store, connection_row("conn_a"), kNow + 10);
  CHECK(stored_row(store, "conn_a").refresh_sent == 0);
  CHECK(*store.begin_refresh("conn_a", 1));
  CHECK(stored_row(store, "conn_a").refresh_sent == 1);
  any->reopen();
  auto& again = **any;
  CHECK(stored_row(again, "conn_a").refresh_sent == 1);
  CHECK(*again.save_refresh(
      "conn_a", {"Bearer", "read", kNow + 20, kNow + 99},
      {sealed("conn_a", "access_token", "at-2", 2), sealed("conn_a", "refresh_token", "rt-2", 2)},
      kNow + 80, kNow + 15, kNow + 20));
  const auto row = stored_row(again, "conn_a");
  CHECK(row.refresh_sent == 0);
  CHECK(row.token.scopes == "read");
  CHECK(row.token.obtained_at == kNow + 20);
  CHECK(row.token.expires_at == kNow + 99);
  CHECK(row.refresh_at == kNow + 80);
  CHECK(row.last_used_at == kNow + 15);
  CHECK(row.last_refresh_at == kNow + 20);
  CHECK(row.updated_at == kNow + 20);
  CHECK(sealed_text(again, "conn_a", "refresh_token") == "rt-2");
  const auto fields = fields_of(again, "conn_a");
  for (const auto& field : fields) CHECK(field.generation == 2);
}

TEST_CASE("fields that a refresh does not bring stay as they are", "[store]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  make_active(store, connection_row("conn_a"));
  REQUIRE(*store.save_refresh("conn_a", {}, {sealed("conn_a", "access_token", "at-2", 2)}, {}, 0,
                              kNow));
  CHECK(sealed_text(store, "conn_a", "access_token") == "at-2");
  CHECK(sealed_text(store, "conn_a", "refresh_token") == "rt of conn_a");
}

TEST_CASE("only an active connection's refresh begins", "[store]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  begin(store, connection_row("conn_pending"));
  make_active(store, connection_row("conn_attention"));
  REQUIRE(store.set_status("conn_attention", kAttention, "e", "m", kNow));
  for (const char* id : {"conn_pending", "conn_attention", "conn_nobody"})
    CHECK_FALSE(*store.begin_refresh(id, 1));
  CHECK(stored_row(store, "conn_attention").refresh_sent == 0);
}

TEST_CASE("a refreshed token of a connection that was removed meanwhile is not stored", "[store]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  make_active(store, connection_row("conn_a"));
  REQUIRE(store.revoke("conn_a", "{}", {}, kNow));
  const auto saved =
      store.save_refresh("conn_a", {"Bearer", "", kNow, {}},
                         {sealed("conn_a", "refresh_token", "rt-2", 2)}, {}, 0, kNow);
  REQUIRE(saved);
  CHECK_FALSE(*saved);
  CHECK(field_names(store, "conn_a").empty());
  CHECK(status_of(store, "conn_a") == kRevoked);
  CHECK_FALSE(
      *store.save_refresh("conn_nobody", {}, {sealed("conn_nobody", "access_token")}, {}, 0, kNow));
  CHECK(field_names(store, "conn_nobody").empty());
}

TEST_CASE("a refreshed token is stored where a person is needed meanwhile, and one still is",
          "[store]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  make_active(store, connection_row("conn_a"));
  REQUIRE(store.set_status("conn_a", kAttention, "provider_changed", "why", kNow));
  CHECK(*store.save_refresh("conn_a", {}, {sealed("conn_a", "refresh_token", "rt-2", 2)}, {}, 0,
                            kNow + 1));
  const auto row = stored_row(store, "conn_a");
  CHECK(row.status == kAttention);
  CHECK(row.error_code == "provider_changed");
  CHECK(row.error_message == "why");
  CHECK(sealed_text(store, "conn_a", "refresh_token") == "rt-2");
}

TEST_CASE("a failed refresh is recorded, and a good one ends the trouble", "[store]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  auto row = make_active(store, connection_row("conn_a"), kNow);
  REQUIRE(*store.begin_refresh("conn_a", 1));
  row.error_code = "upstream_error";
  row.error_message = "the provider answered 500";
  row.refresh_at = kNow + 30;
  row.refresh_failures = 4;
  row.refresh_sent = 1;
  REQUIRE(store.save_refresh_failure(row, kNow + 2));
  auto stored = stored_row(store, "conn_a");
  CHECK(stored.status == kActive);
  CHECK(stored.error_code == "upstream_error");
  CHECK(stored.error_message == "the provider answered 500");
  CHECK(stored.refresh_at == kNow + 30);
  CHECK(stored.refresh_failures == 4);
  CHECK(stored.refresh_sent == 1);
  CHECK(stored.updated_at == kNow + 2);
  CHECK(stored.refresh_failing_since == kNow + 2);
  REQUIRE(store.save_refresh_failure(row, kNow + 7));
  CHECK(stored_row(store, "conn_a").refresh_failing_since == kNow + 2);
  // A failure says nothing about the token that there is.
  CHECK(stored.token.expires_at == kNow + 3600);
  CHECK(sealed_text(store, "conn_a", "refresh_token") == "rt of conn_a");

  REQUIRE(*store.save_refresh("conn_a", {}, {}, kNow + 99, 0, kNow + 40));
  stored = stored_row(store, "conn_a");
  CHECK(stored.error_code.empty());
  CHECK(stored.error_message.empty());
  CHECK(stored.refresh_failures == 0);
  CHECK_FALSE(stored.refresh_failing_since);
  REQUIRE(store.save_refresh_failure(row, kNow + 50));
  CHECK(stored_row(store, "conn_a").refresh_failing_since == kNow + 50);
}

TEST_CASE("a failed refresh of a connection that is over changes nothing", "[store]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  auto row = make_active(store, connection_row("conn_a"), kNow);
  REQUIRE(store.revoke("conn_a", "{}", {}, kNow));
  row.error_message = "too late";
  row.refresh_failures = 1;
  REQUIRE(store.save_refresh_failure(row, kNow + 1));
  CHECK(stored_row(store, "conn_a").error_message.empty());
  CHECK(store.due_refreshes(kNow + 1, 10)->empty());
}

TEST_CASE("what is due is told by who waits longest, up to the limit", "[store]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  make_active(store, connection_row("conn_c"), kNow + 30);
  make_active(store, connection_row("conn_a"), kNow + 10);
  make_active(store, connection_row("conn_b"), kNow + 20);
  make_active(store, connection_row("conn_never"));
  make_active(store, connection_row("conn_attention"), kNow + 5);
  REQUIRE(store.set_status("conn_attention", kAttention, "e", "m", kNow));
  begin(store, connection_row("conn_pending"));

  CHECK(store.due_refreshes(kNow + 9, 10)->empty());
  CHECK(*store.due_refreshes(kNow + 10, 10) == Ids{"conn_a"});
  CHECK(*store.due_refreshes(kNow + 30, 10) == Ids{"conn_a", "conn_b", "conn_c"});
  CHECK(*store.due_refreshes(kNow + 30, 2) == Ids{"conn_a", "conn_b"});
  CHECK(*store.next_refresh_after(0) == kNow + 10);
  CHECK(*store.next_refresh_after(kNow + 10) == kNow + 20);
  CHECK_FALSE(*store.next_refresh_after(kNow + 30));
}

TEST_CASE("what is due of one provider is put off, and nothing else", "[store]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  put_provider(store, "p-other", "other");
  make_active(store, connection_row("conn_due"), kNow);
  make_active(store, connection_row("conn_later"), kNow + 5);
  make_active(store, connection_row("conn_never"));
  auto other = connection_row("conn_other");
  other.provider_id = "p-other";
  make_active(store, other, kNow);
  REQUIRE(store.postpone_refreshes("p-acme", kNow, kNow + 30));
  CHECK(*store.due_refreshes(kNow, 10) == Ids{"conn_other"});
  CHECK(stored_row(store, "conn_due").refresh_at == kNow + 30);
  CHECK(stored_row(store, "conn_later").refresh_at == kNow + 5);
  CHECK_FALSE(stored_row(store, "conn_never").refresh_at);
}
