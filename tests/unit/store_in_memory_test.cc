#include <atomic>
#include <thread>

#include "daemon/store/audit_log.h"
#include "tests/support/catch.h"
#include "tests/support/store_rows.h"
#include "tests/support/test_vault.h"

using namespace nexus;
using namespace nexus::test;

namespace {

std::unique_ptr<Store> store_in_memory() {
  auto store = open_sqlite_store_in_memory();
  REQUIRE(store);
  REQUIRE((*store)->authenticate_rows(test::test_vault(), std::nullopt));
  return *std::move(store);
}

}  // namespace

TEST_CASE("a store in memory is one for all its readers, and another one knows nothing of it",
          "[store][memory]") {
  const auto store = store_in_memory();
  const auto other = store_in_memory();
  put_provider(*store);
  make_active(*store, connection_row("conn_a"));
  CHECK(status_of(*store, "conn_a") == kActive);
  CHECK_FALSE(*other->connection("conn_a"));
  CHECK_FALSE(*store_in_memory()->provider_named("acme"));
}

TEST_CASE("many read a store in memory while it is written, and each finds it whole",
          "[store][memory]") {
  const auto store = store_in_memory();
  put_provider(*store);
  make_active(*store, connection_row("conn_a"));
  std::atomic<int> failed = 0;
  std::atomic<int> writing = 1;
  std::vector<std::thread> readers;
  for (int i = 0; i < 6; ++i)
    readers.emplace_back([&] {
      do {
        const auto record = store->connection_record("conn_a");
        failed += !record || !*record || (*record)->connection.status != kActive;
      } while (writing > 0);
    });
  for (int i = 2; i < 60; ++i) {
    const auto saved =
        store->save_refresh("conn_a", {"Bearer", "read", kNow, {}},
                            {sealed("conn_a", "refresh_token", "next", i)}, kNow, kNow, kNow);
    failed += !saved || !*saved;
  }
  writing = 0;
  for (auto& reader : readers) reader.join();
  CHECK(failed == 0);
}

TEST_CASE("an audit log in memory gives back what was put in", "[audit][memory]") {
  const Secret key(std::string(32, 'k'));
  const auto log = open_sqlite_audit_log_in_memory({key, key});
  REQUIRE(log);
  REQUIRE((*log)->append({R"({"event":"a"})", R"({"event":"b"})"}));
  const auto found = (*log)->find({});
  REQUIRE(found);
  REQUIRE(found->size() == 2);
  CHECK(found->front().record == R"({"event":"b"})");
}
