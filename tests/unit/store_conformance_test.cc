// What any Store promises, in the words of its header. This file has what concerns all of it; those
// named store_*_test.cc go through it by topic.
#include <atomic>
#include <latch>
#include <thread>

#include "tests/support/any_store.h"
#include "tests/support/store_rows.h"

using namespace nexus;
using namespace nexus::test;
using namespace std::string_literals;

TEST_CASE("a new store has no vault and no records", "[store]") {
  const auto store = any_store();
  CHECK_FALSE(*(*store)->vault_header());
  CHECK((*store)->providers({})->empty());
  CHECK((*store)->connections({.pending = true})->empty());
  CHECK((*store)->api_keys({})->empty());
  CHECK((*store)->count_by_status()->empty());
  CHECK((*store)->awaited_redirect_uris()->empty());
  CHECK_FALSE(*(*store)->next_refresh_after(0));
  CHECK_FALSE(*(*store)->next_revocation());
}

TEST_CASE("the vault's header is written once and stays as it was", "[store]") {
  const auto store = any_store();
  const VaultHeader header{"id\0with a NUL"s, "\x01\xff\x00key"s};
  REQUIRE((*store)->put_vault_header(header));
  CHECK_FALSE((*store)->put_vault_header({"another", "header"}));
  store->reopen();
  const auto kept = *(*store)->vault_header();
  REQUIRE(kept);
  CHECK(kept->vault_id == header.vault_id);
  CHECK(kept->wrapped_key == header.wrapped_key);
}

TEST_CASE("what a store was told is there after a restart", "[store]") {
  const auto store = any_store();
  put_provider(**store);
  const auto written = make_active(**store, connection_row("conn_a", "mine"), kNow + 3000);
  begin(**store, connection_row("conn_b"));
  REQUIRE((*store)->put_api_key({"k1", "laptop", "hash", "{}", kNow, kNow + 5}));
  REQUIRE((*store)->begin_refresh("conn_a", 1));

  store->reopen();
  const auto row = stored_row(**store, "conn_a");
  CHECK(row.workspace == "default");
  CHECK(row.provider_id == "p-acme");
  CHECK(row.provider_name == "acme");
  CHECK(row.auth_type == AuthType::oauth2);
  CHECK(row.alias == "mine");
  CHECK(row.status == kActive);
  CHECK(row.requested_scopes == written.requested_scopes);
  CHECK(row.token.token_type == "Bearer");
  CHECK(row.token.scopes == "read write");
  CHECK(row.token.obtained_at == kNow);
  CHECK(row.token.expires_at == kNow + 3600);
  CHECK(row.refresh_at == kNow + 3000);
  CHECK(row.refresh_sent == 1);
  CHECK(sealed_text(**store, "conn_a", "refresh_token") == "rt of conn_a");
  CHECK((*(*store)->connection_record("conn_a"))->pinned == kPinned);
  CHECK((*(*store)->flow("state of conn_b")).has_value());
  CHECK((*store)->api_keys({})->size() == 1);
}

TEST_CASE("texts are kept to the byte, whatever is in them", "[store]") {
  const auto store = any_store();
  put_provider(**store);
  const auto odd = "'; DROP TABLE connections; -- \0 \xff\xfe \xe2\x9c\x93"s;
  auto row = connection_row("conn_a");
  row.return_url = "https://app.example/?q='\"%;";
  begin(**store, row, {sealed("conn_a", "code_verifier", odd)});
  CHECK(sealed_text(**store, "conn_a", "code_verifier") == odd);
  CHECK(stored_row(**store, "conn_a").return_url == row.return_url);
}

TEST_CASE("API keys are listed by name, and each name is used once", "[store]") {
  const auto store = any_store();
  const ApiKeyRow laptop{"k1", "laptop", "\x00\xff"s, R"({"admin":true})", kNow, {}};
  REQUIRE((*store)->put_api_key(laptop));
  REQUIRE((*store)->put_api_key({"k2", "ci", "h", "{}", kNow, kNow + 60}));
  const auto again = (*store)->put_api_key({"k3", "laptop", "h", "{}", kNow, {}});
  REQUIRE_FALSE(again);
  CHECK(again.error().code == ErrorCode::key_exists);

  const auto keys = *(*store)->api_keys({});
  REQUIRE(keys.size() == 2);
  CHECK(keys[0].name == "ci");
  CHECK(keys[0].expires_at == kNow + 60);
  CHECK(keys[1].id == "k1");
  CHECK(keys[1].hash == laptop.hash);
  CHECK(keys[1].access == laptop.access);
  CHECK_FALSE(keys[1].expires_at);

  CHECK_FALSE(keys[1].last_used_at);
  REQUIRE((*store)->save_key_use("k1", kNow + 5));
  CHECK((*store)->api_keys({})->at(1).last_used_at == kNow + 5);
  CHECK_FALSE((*store)->api_keys({})->at(0).last_used_at);

  REQUIRE((*store)->delete_api_key("k1"));
  CHECK((*store)->api_keys({})->size() == 1);
  CHECK((*store)->put_api_key({"k4", "laptop", "h", "{}", kNow, {}}));
}

TEST_CASE("a token is as it was written last, however often it was read before", "[store]") {
  const auto store = any_store();
  put_provider(**store);
  make_active(**store, connection_row("conn_a"));
  const auto read = [&] { return *(*store)->token("conn_a"); };
  CHECK(read()->connection.status == kActive);
  REQUIRE(*(*store)->save_refresh("conn_a", {"Bearer", "", kNow, kNow + 9},
                                  {sealed("conn_a", "access_token", "second", 2)}, {}, 0, kNow));
  CHECK(read()->fields.at(0).sealed == "second");
  REQUIRE((*store)->change_providers({provider_write("p-acme", "renamed")}, {}, kNow));
  CHECK(read()->connection.provider_name == "renamed");
  REQUIRE(*(*store)->set_status("conn_a", ConnectionStatus::attention_required, "c", "m", kNow));
  CHECK(read()->connection.status == ConnectionStatus::attention_required);
  REQUIRE((*store)->revoke("conn_a", "{}", std::nullopt, kNow));
  CHECK(read()->connection.status == ConnectionStatus::revoked);
  CHECK(read()->fields.empty());
  CHECK_FALSE(*(*store)->token("conn_none"));
}

TEST_CASE("readers see each write whole while a writer works", "[store]") {
  const auto store = any_store();
  put_provider(**store);
  make_active(**store, connection_row("conn_a"));
  constexpr std::int64_t kWrites = 100;
  constexpr int kReaders = 3;
  std::latch begin_together(kReaders + 1);
  std::atomic<bool> done{false};
  std::atomic<int> torn{0};
  std::atomic<int> reads{0};
  std::vector<std::jthread> readers;
  for (int i = 0; i < kReaders; ++i)
    readers.emplace_back([&] {
      begin_together.arrive_and_wait();
      while (!done) {
        const auto row = (*store)->token("conn_a");
        const bool whole = row && *row && (*row)->fields.size() == 1 &&
                           ((*row)->fields[0].generation == 1 ||
                            (*row)->fields[0].generation == (*row)->connection.token.expires_at);
        if (!whole) ++torn;
        ++reads;
      }
    });
  begin_together.arrive_and_wait();
  int refused = 0;
  // On, if need be, until somebody has come to read.
  for (std::int64_t n = 2; n <= kWrites || reads < kWrites; ++n) {
    const auto saved = (*store)->save_refresh(
        "conn_a", {"Bearer", "", n, n}, {sealed("conn_a", "access_token", "at", n)}, {}, 0, n);
    if (!saved || !*saved) ++refused;
  }
  done = true;
  readers.clear();
  CHECK(refused == 0);
  CHECK(torn == 0);
}

TEST_CASE("writers at the same time all get their turn", "[store]") {
  const auto store = any_store();
  put_provider(**store);
  constexpr int kWriters = 4;
  constexpr int kEach = 10;
  std::latch begin_together(kWriters);
  std::atomic<int> refused{0};
  {
    std::vector<std::jthread> writers;
    for (int w = 0; w < kWriters; ++w)
      writers.emplace_back([&, w] {
        begin_together.arrive_and_wait();
        for (int i = 0; i < kEach; ++i) {
          const auto row = connection_row("conn_" + std::to_string(w * kEach + i));
          if (!(*store)->begin_flow(row, flow_row(row), {})) ++refused;
        }
      });
  }
  CHECK(refused == 0);
  CHECK((*store)->connections({.pending = true})->size() == kWriters * kEach);
}
