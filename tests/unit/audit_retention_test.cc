#include "daemon/audit_retention.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "daemon/store/sqlite/database.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/test_clock.h"

using namespace nexus;
using namespace nexus::test;

namespace {

constexpr UnixTime kDay = 86400;

/// An audit log with a clock to turn.
struct Archive {
  explicit Archive(const AuditConfig& bounds) : config(bounds) { open(VaultStage::with_codes); }

  void close() {
    retention.reset();
    audit.reset();
    log.reset();
  }
  void open(VaultStage stage = VaultStage::chained) {
    close();
    auto opened = open_sqlite_audit_log(directory.path(), {row_key, audit_key}, stage);
    REQUIRE(opened);
    log = *std::move(opened);
    audit.emplace(*log, clock.wall());
    retention.emplace(*log, *audit, due, config, clock.hand_out(), clock.wall());
  }

  void record(int count, const std::string& detail = "") {
    std::vector<std::string> records;
    for (int i = 0; i < count; ++i)
      records.push_back(
          audit->record({.event = AuditEvent::token_retrieved, .detail = detail}, {}));
    REQUIRE(audit->commit(records));
  }
  void sweep(int times = 20) {
    for (int i = 0; i < times; ++i) retention->sweep();
  }
  std::vector<nlohmann::json> all(const std::string& event) {
    std::vector<nlohmann::json> records;
    const auto found = log->find({.event = event, .limit = 1'000'000});
    REQUIRE(found);
    for (const auto& entry : *found) records.push_back(nlohmann::json::parse(entry.record));
    return records;
  }
  std::size_t kept() { return all("token_retrieved").size(); }
  std::uintmax_t file() const { return std::filesystem::file_size(directory.path() + "/audit.db"); }

  const Secret row_key{std::string(32, 'r')};
  const Secret audit_key{std::string(32, 'c')};
  TemporaryDirectory directory;
  AuditConfig config;
  TestClock clock;
  Due due;
  std::unique_ptr<AuditLog> log;
  std::optional<Audit> audit;
  std::optional<AuditRetention> retention;
};

}  // namespace

TEST_CASE("records go when they have been kept long enough, and that is on record", "[audit]") {
  Archive archive({.keep_days = 400, .max_mib = 0});
  archive.record(3);
  const auto first = archive.clock.now();
  archive.clock.advance(10 * kDay);
  archive.record(5);
  archive.clock.advance(390 * kDay - 1);
  archive.sweep();
  CHECK(archive.kept() == 8);
  CHECK(archive.all("audit_pruned").empty());
  archive.clock.advance(1);
  archive.sweep();
  CHECK(archive.kept() == 5);
  const auto pruned = archive.all("audit_pruned");
  REQUIRE(pruned.size() == 1);
  CHECK(pruned[0]["count"] == 3);
  CHECK(pruned[0]["outcome"] == "success");
  CHECK(pruned[0]["via"] == "daemon");
  CHECK(pruned[0]["at"] == archive.clock.now());
  CHECK(pruned[0]["detail"] == "3 records until 2027-01-15T08:00:00Z: older than 400 days");
  CHECK(first == 1'800'000'000);
}

TEST_CASE("a clock that is years ahead when the machine starts makes nothing old", "[audit]") {
  Archive archive({.keep_days = 400, .max_mib = 0});
  archive.record(3);
  constexpr UnixTime kAhead = 3 * 365 * kDay;
  archive.clock.correct_wall(-kAhead);
  archive.retention->start();
  archive.clock.advance(899);
  archive.sweep();
  CHECK(archive.kept() == 3);
  archive.clock.correct_wall(kAhead);
  archive.clock.advance(1);
  archive.sweep();
  CHECK(archive.kept() == 3);
  archive.clock.advance(400 * kDay);
  archive.sweep();
  CHECK(archive.kept() == 0);
}

TEST_CASE("the numbers of records go on where none is left of the old ones", "[audit]") {
  Archive archive({.keep_days = 1, .max_mib = 0});
  archive.record(7);
  archive.clock.advance(2 * kDay);
  archive.sweep();
  archive.open();
  const auto left = archive.log->find({});
  REQUIRE(left);
  REQUIRE(left->size() == 1);
  CHECK(left->front().sequence == 8);
}

TEST_CASE("many records go in steps, each with its count", "[audit]") {
  Archive archive({.keep_days = 1, .max_mib = 0});
  archive.record(4500);
  archive.clock.advance(2 * kDay);
  archive.record(1);
  archive.retention->sweep();
  CHECK(archive.kept() == 2501);
  archive.sweep();
  CHECK(archive.kept() == 1);
  std::int64_t removed = 0;
  for (const auto& record : archive.all("audit_pruned")) removed += record["count"].get<int>();
  CHECK(removed == 4500);
}

TEST_CASE("the file stays as small as it is to be, and gives its space back", "[audit]") {
  Archive archive({.keep_days = 0, .max_mib = 2});
  for (int i = 0; i < 30; ++i) archive.record(500, std::string(300, 'x'));
  archive.open();  // what was written is in the file now
  const auto before = archive.file();
  REQUIRE(before > 6 * 1024 * 1024);
  archive.sweep(200);
  CHECK(*archive.log->size() <= 2 * 1024 * 1024);
  CHECK(archive.kept() > 1000);
  const auto pruned = archive.all("audit_pruned");
  REQUIRE(!pruned.empty());
  CHECK(pruned[0]["detail"].get<std::string>().ends_with("beyond 2 MiB"));
  archive.open();
  CHECK(archive.file() < 3 * 1024 * 1024);
  // The newest ones are those that are left.
  const auto newest = archive.log->find({.event = "token_retrieved", .limit = 1});
  CHECK(newest->front().sequence == 15000);
}

TEST_CASE("a log of before gives its space back as well", "[audit]") {
  Archive archive({.keep_days = 1, .max_mib = 0});
  archive.close();
  {
    sqlite::Database database(archive.directory.path() + "/audit.db",
                              sqlite::Database::Mode::read_write);
    database.execute("PRAGMA auto_vacuum=NONE");
    database.execute("VACUUM");
  }
  archive.open();
  for (int i = 0; i < 10; ++i) archive.record(500, std::string(300, 'x'));
  archive.clock.advance(2 * kDay);
  archive.sweep(50);
  archive.open();
  CHECK(archive.file() < 100 * 1024);
}

TEST_CASE("without bounds everything is kept", "[audit]") {
  Archive archive({.keep_days = 0, .max_mib = 0});
  archive.record(100);
  archive.clock.advance(100'000 * kDay);
  archive.sweep();
  CHECK(archive.kept() == 100);
}

TEST_CASE("a record that cannot be read, or has a time to come, goes with its neighbours",
          "[audit]") {
  Archive archive({.keep_days = 10, .max_mib = 0});
  archive.record(1);
  REQUIRE(archive.log->append({"damaged", R"({"at":"text"})", R"({"at":9999999999})"}));
  archive.record(1);
  REQUIRE(archive.log->append({"damaged as well"}));
  archive.clock.advance(9 * kDay);
  archive.record(1);
  archive.clock.advance(kDay);
  archive.sweep();
  const auto left = archive.log->find({});
  REQUIRE(left);
  // What nobody knows the time of stays until something younger around it goes.
  std::vector<std::string> texts;
  for (const auto& entry : *left) texts.push_back(entry.record);
  CHECK(std::count(texts.begin(), texts.end(), "damaged") == 0);
  CHECK(std::count(texts.begin(), texts.end(), "damaged as well") == 1);
  CHECK(archive.kept() == 1);
}

TEST_CASE("it is looked at when the oldest record has been kept long enough", "[audit]") {
  Archive archive({.keep_days = 10, .max_mib = 0});
  archive.record(1);
  archive.clock.advance(3 * kDay);
  archive.clock.correct_wall(kDay);
  std::vector<UnixTime> rung;
  archive.due.listen(Due::What::audit_retention, [&](UnixTime at) { rung.push_back(at); });
  archive.retention->start();
  CHECK(rung == std::vector<UnixTime>{archive.clock.now() + 8 * kDay});
}

TEST_CASE("a record that is not what was written is told as unreadable", "[audit][macs]") {
  Archive archive({});
  archive.record(3, "as it was");
  const auto* change =
      GENERATE("UPDATE audit SET record = replace(record, 'as it was', 'as it is.') WHERE seq = 2",
               "UPDATE audit SET mac = x'00' WHERE seq = 2",
               "UPDATE audit SET record = (SELECT record FROM audit WHERE seq = 1), "
               "mac = (SELECT mac FROM audit WHERE seq = 1) WHERE seq = 2");
  sqlite::Database(archive.directory.path() + "/audit.db", sqlite::Database::Mode::read_write)
      .execute(change);
  const auto found = archive.log->find({});
  REQUIRE(found);
  REQUIRE(found->size() == 3);
  for (const auto& entry : *found) CHECK(entry.record.empty() == (entry.sequence == 2));
}

TEST_CASE("what an older nexusd has recorded is told as it is", "[audit][macs]") {
  Archive archive({});
  archive.record(1);
  sqlite::Database(archive.directory.path() + "/audit.db", sqlite::Database::Mode::read_write)
      .execute("UPDATE audit SET mac = NULL");
  CHECK(archive.kept() == 0);  // who has no key cannot say that it is an older one's
  archive.open(VaultStage::sealed);
  CHECK(archive.kept() == 1);
  archive.open();
  CHECK(archive.kept() == 1);
}
