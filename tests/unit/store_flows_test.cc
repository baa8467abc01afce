#include <atomic>
#include <latch>
#include <thread>

#include "tests/support/any_store.h"
#include "tests/support/store_rows.h"

using namespace nexus;
using namespace nexus::test;

TEST_CASE("a flow is stored with its pending connection and its secrets", "[store]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  auto row = connection_row("conn_a", "mine");
  row.return_url = "https://app.example/back";
  row.replaces = "conn_old";
  row.auth_type = AuthType::api_key;
  begin(store, row, {sealed("conn_a", "code_verifier"), sealed("conn_a", "nonce")});

  const auto flow = *store.flow("state of conn_a");
  REQUIRE(flow);
  CHECK(flow->connection_id == "conn_a");
  CHECK(flow->redirect_uri == "http://127.0.0.1:8090/auth/callback");
  CHECK(flow->pinned == kPinned);
  CHECK(flow->expires_at == row.pending_until);
  const auto stored = stored_row(store, "conn_a");
  CHECK(stored.status == kPending);
  CHECK(stored.waits_for == FlowKind::code);
  CHECK(stored.alias == "mine");
  CHECK(stored.return_url == row.return_url);
  CHECK(stored.replaces == "conn_old");
  CHECK(stored.auth_type == AuthType::api_key);
  CHECK(stored.created_at == row.created_at);
  CHECK(stored.metadata == row.metadata);
  CHECK(stored.pending_until == row.pending_until);
  CHECK(field_names(store, "conn_a") == std::vector<std::string>{"code_verifier", "nonce"});
  CHECK_FALSE(*store.flow("state of conn_b"));
}

TEST_CASE("an alias that is taken begins no flow and stores nothing", "[store]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  begin(store, connection_row("conn_a", "mine"));
  const auto row = connection_row("conn_b", "mine");
  const auto result = store.begin_flow(row, flow_row(row), {sealed("conn_b", "nonce")});
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::alias_taken);
  CHECK_FALSE(*store.connection("conn_b"));
  CHECK_FALSE(*store.flow("state of conn_b"));
  CHECK(field_names(store, "conn_b").empty());

  auto elsewhere = connection_row("conn_c", "mine");
  elsewhere.workspace = "another";
  CHECK(store.begin_flow(elsewhere, flow_row(elsewhere), {}));
}

TEST_CASE("what else keeps a flow from being stored is not blamed on its alias", "[store]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  const auto first = begin(store, connection_row("conn_a", "mine"));

  const auto again = connection_row("conn_a", "free");
  auto same_state = connection_row("conn_b", "free");
  auto its_flow = flow_row(same_state);
  its_flow.state_hash = flow_row(first).state_hash;
  auto of_nobody = connection_row("conn_c", "free");
  of_nobody.provider_id = "p-unknown";
  for (const auto& [row, flow] : {std::pair(again, flow_row(again)),
                                  {same_state, its_flow},
                                  {of_nobody, flow_row(of_nobody)}}) {
    const auto result = store.begin_flow(row, flow, {});
    REQUIRE_FALSE(result);
    CHECK(result.error().code == ErrorCode::internal_error);
  }
  CHECK(stored_row(store, "conn_a").alias == "mine");
  CHECK_FALSE(*store.connection("conn_b"));
  CHECK_FALSE(*store.connection("conn_c"));
}

TEST_CASE("of many who answer a flow at once, one gets to", "[store]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  constexpr int kThreads = 8;
  for (int round = 0; round < 10; ++round) {
    const auto row = begin(store, connection_row("conn_" + std::to_string(round)));
    std::latch begin_together(kThreads);
    std::atomic<int> winners{0};
    std::atomic<int> errors{0};
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < kThreads; ++i)
        threads.emplace_back([&] {
          begin_together.arrive_and_wait();
          const auto first = store.consume_flow("" + row.id);
          if (!first) ++errors;
          if (first && *first) ++winners;
        });
    }
    CHECK(winners == 1);
    CHECK(errors == 0);
    CHECK_FALSE(*store.flow("state of " + row.id));
  }
}

TEST_CASE("a flow that was answered, or never was, cannot be answered", "[store]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  begin(store, connection_row("conn_a"));
  CHECK(*store.consume_flow("conn_a"));
  any->reopen();
  CHECK_FALSE(*(**any).consume_flow("conn_a"));
  CHECK_FALSE(*(**any).consume_flow("a state of nobody's"));
}

TEST_CASE("a consent that never came fails its connection, and frees alias and secrets",
          "[store]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  begin(store, connection_row("conn_late", "mine"), {sealed("conn_late", "code_verifier")});
  auto later = connection_row("conn_in_time");
  later.pending_until = kNow + 601;
  begin(store, later);
  make_active(store, connection_row("conn_active"));

  CHECK(store.expire_flows(kNow + 599, kNow + 599, 100)->empty());
  CHECK(*store.expire_flows(kNow + 600, kNow + 600, 100) == std::vector<std::string>{"conn_late"});
  const auto row = stored_row(store, "conn_late");
  CHECK(row.status == kFailed);
  CHECK(row.alias.empty());
  CHECK_FALSE(row.error_code.empty());
  CHECK(row.updated_at == kNow + 600);
  CHECK(field_names(store, "conn_late").empty());
  CHECK_FALSE(*store.flow("state of conn_late"));
  CHECK(status_of(store, "conn_in_time") == kPending);
  CHECK(status_of(store, "conn_active") == kActive);
  CHECK(store.expire_flows(kNow + 600, kNow + 600, 100)->empty());
}

TEST_CASE("a consent whose answer a daemon died with expires as well", "[store]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  begin(store, connection_row("conn_a"));
  REQUIRE(*store.consume_flow("conn_a"));
  CHECK(*store.expire_flows(kNow + 600, kNow + 600, 100) == std::vector<std::string>{"conn_a"});
}

TEST_CASE("the addresses on which answers are expected are told once each", "[store]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  for (const char* id : {"conn_a", "conn_b"}) begin(store, connection_row(id));
  const auto other = connection_row("conn_c");
  auto flow = flow_row(other);
  flow.redirect_uri = "http://localhost:8090/auth/callback/acme";
  REQUIRE(store.begin_flow(other, flow, {}));
  const auto by_hand = connection_row("conn_d");
  auto pasted = flow_row(by_hand);
  pasted.redirect_uri = "https://localhost:8090/auth/callback";
  pasted.awaited = false;
  REQUIRE(store.begin_flow(by_hand, pasted, {}));

  auto awaited = *store.awaited_redirect_uris();
  std::sort(awaited.begin(), awaited.end());
  CHECK(awaited == std::vector<std::string>{"http://127.0.0.1:8090/auth/callback",
                                            "http://localhost:8090/auth/callback/acme"});
  REQUIRE(*store.consume_flow("conn_c"));
  CHECK(store.awaited_redirect_uris()->size() == 1);
}

TEST_CASE("failed attempts are forgotten, those that failed first first and a few at once",
          "[store]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  CHECK_FALSE(*store.first_failure());
  for (int i = 0; i < 3; ++i) {
    const auto id = "conn_" + std::to_string(i);
    begin(store, connection_row(id), {sealed(id, "code_verifier")});
    REQUIRE(*store.set_status(id, kFailed, "access_denied", "consent was denied", kNow + 10 - i));
  }
  make_active(store, connection_row("conn_active"));
  begin(store, connection_row("conn_pending"));
  begin(store, connection_row("conn_gone"));
  REQUIRE(store.revoke("conn_gone", "{}", std::nullopt, kNow));

  CHECK(*store.first_failure() == kNow + 8);
  CHECK(*store.forget_failed(kNow + 7, 10) == 0);
  CHECK(*store.forget_failed(kNow + 9, 1) == 1);
  CHECK_FALSE(*store.connection("conn_2"));
  CHECK(*store.first_failure() == kNow + 9);
  CHECK(*store.forget_failed(kNow + 9, 10) == 1);
  CHECK(status_of(store, "conn_0") == kFailed);
  CHECK(*store.forget_failed(kNow + 10, 10) == 1);
  CHECK_FALSE(*store.first_failure());
  for (const char* id : {"conn_active", "conn_pending", "conn_gone"})
    CHECK(store.connection(id)->has_value());
}

TEST_CASE("those that wait are counted, of each key and of all", "[store]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  for (int i = 0; i < 5; ++i) {
    auto row = connection_row("conn_" + std::to_string(i));
    row.pending_until = kNow + 100 + i;
    auto flow = flow_row(row);
    flow.api_key = i < 3 ? "k1" : "";
    REQUIRE(store.begin_flow(row, flow, {}));
  }
  const auto expiry = [&](const std::string& key, std::int64_t nth, UnixTime now = kNow) {
    const auto found = store.nth_expiry(key, now, nth);
    REQUIRE(found);
    return found->value_or(0);
  };
  CHECK(expiry("", 0) == kNow + 100);
  CHECK(expiry("", 4) == kNow + 104);
  CHECK(expiry("", 5) == 0);
  CHECK(expiry("k1", 2) == kNow + 102);
  CHECK(expiry("k1", 3) == 0);
  CHECK(expiry("k2", 0) == 0);
  // What has run out waits no more, swept or not.
  CHECK(expiry("", 4, kNow + 100) == 0);
  CHECK(expiry("k1", 0, kNow + 100) == kNow + 101);
  REQUIRE(store.consume_flow("conn_1"));
  CHECK(expiry("k1", 1) == kNow + 102);
  REQUIRE(store.revoke("conn_2", "{}", std::nullopt, kNow));
  CHECK(expiry("k1", 1) == 0);
  CHECK(expiry("", 4) == 0);
}
