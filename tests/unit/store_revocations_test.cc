#include "tests/support/any_store.h"
#include "tests/support/store_rows.h"

using namespace nexus;
using namespace nexus::test;

namespace {

using Names = std::vector<std::string>;

std::vector<std::string> due(Store& store, UnixTime now, std::int64_t limit = 10) {
  std::vector<std::string> ids;
  const auto rows = store.due_revocations(now, limit);
  for (const auto& row : *rows) ids.push_back(row.connection_id);
  return ids;
}

}  // namespace

TEST_CASE("a disconnection destroys the credentials and leaves a record without secrets",
          "[store]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  auto row = connection_row("conn_a", "mine");
  row.return_url = "https://app.example/back";
  make_active(store, row);
  REQUIRE(store.set_status("conn_a", kAttention, "attention_required", "refused", kNow));
  REQUIRE(store.revoke("conn_a", R"({"provider_revoked":false})", {}, kNow + 9));
  const auto left = stored_row(store, "conn_a");
  CHECK(left.status == kRevoked);
  CHECK(left.alias.empty());
  CHECK(left.return_url.empty());
  CHECK(left.metadata.empty());
  CHECK(left.error_code.empty());
  CHECK(left.updated_at == kNow + 9);
  CHECK(field_names(store, "conn_a").empty());
  CHECK(*store.revocation_outcome("conn_a") == R"({"provider_revoked":false})");
  CHECK_FALSE(*store.revocation("conn_a"));
  CHECK(store.due_refreshes(kNow + 9999, 10)->empty());
}

TEST_CASE("a disconnection ends a flow that waits", "[store]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  begin(store, connection_row("conn_a"), {sealed("conn_a", "code_verifier")});
  REQUIRE(store.revoke("conn_a", "{}", {}, kNow));
  CHECK_FALSE(*store.flow("state of conn_a"));
  CHECK(field_names(store, "conn_a").empty());
  CHECK(store.expire_flows(kNow + 9999, kNow + 9999, 100)->empty());
}

TEST_CASE("tokens that the provider is still to forget stay until it did", "[store]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  const auto row = begin(store, connection_row("conn_a"));
  REQUIRE(*store.activate(row, kPinned,
                          {sealed("conn_a", "access_token"), sealed("conn_a", "refresh_token"),
                           sealed("conn_a", "id_token"), sealed("conn_a", "nonce")}));
  const RevocationRow pending{"conn_a", kNow + 60, 0, kNow + 7 * 86400};
  REQUIRE(store.revoke("conn_a", R"({"pending":true})", pending, kNow));
  CHECK(status_of(store, "conn_a") == kRevoked);
  CHECK(field_names(store, "conn_a") == Names{"access_token", "refresh_token"});

  any->reopen();
  auto& again = **any;
  const auto kept = *again.revocation("conn_a");
  REQUIRE(kept);
  CHECK(kept->next_at == kNow + 60);
  CHECK(kept->failures == 0);
  CHECK(kept->give_up_at == kNow + 7 * 86400);
  REQUIRE(again.finish_revocation("conn_a", R"({"provider_revoked":true})"));
  CHECK(field_names(again, "conn_a").empty());
  CHECK_FALSE(*again.revocation("conn_a"));
  CHECK(*again.revocation_outcome("conn_a") == R"({"provider_revoked":true})");
}

TEST_CASE("revocations are due in their order, and can be put off", "[store]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  UnixTime at = kNow + 30;
  for (const char* id : {"conn_c", "conn_b", "conn_a"}) {
    make_active(store, connection_row(id));
    REQUIRE(store.revoke(id, "{}", RevocationRow{id, at, 0, kNow + 999}, kNow));
    at -= 10;
  }
  CHECK(due(store, kNow + 9).empty());
  CHECK(due(store, kNow + 30) == Names{"conn_a", "conn_b", "conn_c"});
  CHECK(due(store, kNow + 30, 1) == Names{"conn_a"});
  CHECK(*store.next_revocation() == kNow + 10);
  REQUIRE(store.postpone_revocation({"conn_a", kNow + 100, 1, kNow + 999}));
  CHECK(due(store, kNow + 30) == Names{"conn_b", "conn_c"});
  CHECK(*store.next_revocation() == kNow + 20);
  CHECK((*store.revocation("conn_a"))->failures == 1);
}

TEST_CASE("a token that came too late for its connection is kept to be forgotten", "[store]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  make_active(store, connection_row("conn_a"));
  REQUIRE(store.revoke("conn_a", "{}", {}, kNow));
  REQUIRE(store.add_revocation({"conn_a", kNow + 60, 0, kNow + 999},
                               {sealed("conn_a", "refresh_token", "late", 2)}));
  CHECK(sealed_text(store, "conn_a", "refresh_token") == "late");
  CHECK(due(store, kNow + 60) == Names{"conn_a"});
  CHECK(status_of(store, "conn_a") == kRevoked);
}
