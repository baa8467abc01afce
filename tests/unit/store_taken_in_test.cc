// What comes whole from another nexusd.
#include "tests/support/any_store.h"
#include "tests/support/store_rows.h"

using namespace nexus;
using namespace nexus::test;

namespace {

ConnectionRecord record(const std::string& id, const std::string& alias = {},
                        const std::string& text = "sealed") {
  auto row = connection_row(id, alias);
  row.status = kActive;
  row.account = "alice@example.com";
  row.last_refresh_at = kNow - 60;
  row.token = {"Bearer", "read", kNow - 60, kNow + 3600, R"({"instance":"eu"})"};
  row.refresh_at = kNow + 3000;
  row.refresh_sent = 7;
  row.last_used_at = kNow;
  return {
      row, kPinned, {sealed(id, "access_token", text, 4), sealed(id, "refresh_token", text, 7)}};
}

TakenIn of_one(ConnectionRecord connection, bool replace = false) {
  return {.providers = {}, .connections = {std::move(connection)}, .replace = replace};
}

}  // namespace

TEST_CASE("a connection is taken in with all that it had, and its provider", "[store][bundle]") {
  const auto any = any_store();
  auto& store = **any;
  auto taken_in = of_one(record("conn_a", "mine"));
  taken_in.providers.push_back(provider_write("p-acme", "acme"));
  REQUIRE(store.take_in(taken_in));
  const auto row = stored_row(store, "conn_a");
  CHECK(row.status == kActive);
  CHECK(row.provider_name == "acme");
  CHECK(row.alias == "mine");
  CHECK(row.token.token_fields == R"({"instance":"eu"})");
  CHECK(row.last_refresh_at == kNow - 60);
  CHECK(row.refresh_sent == 7);
  CHECK((*store.connection_record("conn_a"))->pinned == kPinned);
  CHECK(fields_of(store, "conn_a").size() == 2);
  CHECK(*store.due_refreshes(kNow + 3000, 10) == std::vector<std::string>{"conn_a"});
  REQUIRE(*store.token("conn_a"));
  CHECK((*store.token("conn_a"))->connection.status == kActive);
}

TEST_CASE("what is taken in is all there, or nothing of it", "[store][bundle]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  make_active(store, connection_row("conn_here", "mine"));
  TakenIn taken_in{.providers = {provider_write("p-new", "fresh")},
                   .connections = {record("conn_a"), record("conn_b", "mine")}};
  const auto refused = store.take_in(taken_in);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::alias_taken);
  CHECK_FALSE(*store.connection("conn_a"));
  CHECK_FALSE(*store.provider_named("fresh"));
  taken_in.connections[1].connection.alias = "fresh";  // a provider's name, by then
  CHECK(store.take_in(taken_in).error().code == ErrorCode::alias_taken);
  taken_in.connections[1].connection.alias.clear();
  taken_in.providers[0] = provider_write("p-other", "acme");
  CHECK(store.take_in(taken_in).error().code == ErrorCode::provider_exists);
  CHECK_FALSE(*store.connection("conn_a"));
}

TEST_CASE("a connection that is alive is replaced only where that is asked for",
          "[store][bundle]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  make_active(store, connection_row("conn_a", "mine"));
  const auto refused = store.take_in(of_one(record("conn_a", "mine", "other")));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::connection_exists);
  CHECK(sealed_text(store, "conn_a", "refresh_token") == "rt of conn_a");
  REQUIRE(store.take_in(of_one(record("conn_a", "mine", "other"), true)));
  CHECK(sealed_text(store, "conn_a", "refresh_token") == "other");
  CHECK(stored_row(store, "conn_a").refresh_sent == 7);
}

TEST_CASE("one that was disconnected, failed or is on its way is in nobody's way",
          "[store][bundle]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  make_active(store, connection_row("conn_a"));
  REQUIRE(store.revoke("conn_a", "{}", RevocationRow{"conn_a", kNow, 0, kNow + 9}, kNow));
  make_active(store, connection_row("conn_b"));
  REQUIRE(*store.set_status("conn_b", kMoving, "moving", "", kNow));
  for (const auto* id : {"conn_a", "conn_b"}) {
    REQUIRE(store.take_in(of_one(record(id))));
    CHECK(stored_row(store, id).status == kActive);
  }
  CHECK_FALSE(*store.revocation("conn_a"));
}

TEST_CASE(
    "a connection that is set aside is not refreshed, keeps what a refresh under way brings, "
    "and comes back with it",
    "[store][bundle]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  make_active(store, connection_row("conn_a"), kNow);
  REQUIRE(*store.set_status("conn_a", kMoving, "moving", "", kNow));
  CHECK(store.due_refreshes(kNow, 10)->empty());
  CHECK_FALSE(*store.begin_refresh("conn_a", 1));
  CHECK(*store.save_refresh("conn_a", {"Bearer", "read", kNow, {}},
                            {sealed("conn_a", "refresh_token", "next", 2)}, kNow + 9, kNow, kNow));
  CHECK(stored_row(store, "conn_a").status == kMoving);
  CHECK(sealed_text(store, "conn_a", "refresh_token") == "next");
  REQUIRE(*store.set_status("conn_a", kActive, "", "", kNow));
  CHECK(*store.begin_refresh("conn_a", 2));
}

TEST_CASE("who may use what is taken in is what it was here before", "[store][bundle]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  make_active(store, connection_row("conn_a", "mine"));
  api::UseRules rules;
  rules.uids = {4711};
  REQUIRE(store.set_use_rules("conn_a", &rules, kNow));
  REQUIRE(store.take_in(of_one(record("conn_a", "mine"), true)));
  REQUIRE(stored_row(store, "conn_a").use_rules);
  CHECK(stored_row(store, "conn_a").use_rules->uids == rules.uids);
  // Also where it was away meanwhile.
  REQUIRE(store.revoke("conn_a", "{}", std::nullopt, kNow));
  REQUIRE(store.take_in(of_one(record("conn_a", "mine"))));
  CHECK(stored_row(store, "conn_a").use_rules);
  REQUIRE(store.take_in(of_one(record("conn_b", "new"))));
  CHECK_FALSE(stored_row(store, "conn_b").use_rules);
}
