#include "daemon/store/audit_chain.h"

#include <filesystem>
#include <fstream>
#include <optional>

#include "daemon/store/audit_head.h"
#include "daemon/store/audit_log.h"
#include "daemon/store/sqlite/database.h"
#include "daemon/store/sqlite/row_macs.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"

using namespace nexus;
using namespace nexus::test;

namespace {

const Secret kRowKey(std::string(32, 'r'));
const Secret kAuditKey(std::string(32, 'c'));

/// An audit log, and somebody with a hand on its files.
struct Archive {
  Archive() { open(VaultStage::with_codes); }

  void open(VaultStage stage = VaultStage::chained) {
    log.reset();
    auto opened = open_sqlite_audit_log(directory.path(), {kRowKey, kAuditKey}, stage);
    REQUIRE(opened);
    log = *std::move(opened);
  }
  void record(int count) {
    for (int i = 0; i < count; ++i) {
      const auto text = R"({"event":"e","n":)" + std::to_string(++written) + "}";
      REQUIRE(log->append({text}));
    }
  }
  /// Without a key, but for its own.
  void tamper(const std::string& sql, const Secret& row_key = Secret(std::string(32, 'x'))) const {
    sqlite::Database database(directory.path() + "/audit.db", sqlite::Database::Mode::read_write);
    const auto keys = sqlite::always(row_key);
    sqlite::use_row_keys(database, keys);
    database.execute(sql);
  }
  std::string verdict() const {
    const std::atomic<bool> stop{false};
    const auto found = log->verify(stop);
    REQUIRE(found);
    std::string text;
    for (const auto& [fault, first, last] : found->findings)
      text += (text.empty() ? "" : ", ") + std::string(word(fault)) + " " + std::to_string(first) +
              "-" + std::to_string(last);
    return text;
  }
  std::string file(const char* name) const { return directory.path() + "/" + name; }

  TemporaryDirectory directory;
  std::unique_ptr<AuditLog> log;
  int written = 0;
};

}  // namespace

TEST_CASE("what was written is intact, also after a restart and beside a writer",
          "[audit][chain]") {
  Archive archive;
  CHECK(archive.verdict().empty());
  archive.record(20);
  CHECK(archive.verdict().empty());
  archive.open();
  CHECK(archive.log->trouble().empty());
  archive.record(3);
  CHECK(archive.verdict().empty());
  const std::atomic<bool> stop{false};
  const auto verdict = archive.log->verify(stop);
  REQUIRE(verdict);
  CHECK(verdict->records == 23);
  CHECK(verdict->first == 1);
  CHECK(verdict->last == 23);
  CHECK(verdict->unchained == 0);
}

TEST_CASE("each way to change the audit log is found, and where", "[audit][chain]") {
  const std::string all = GENERATE(
      // A text, a time in it; its code with it, by who has the row key, or another one's.
      "UPDATE audit SET record = replace(record, '7', '8') WHERE seq = 7|altered 7-7",
      "UPDATE audit SET record = 'nonsense' WHERE seq IN (7, 8, 15)|altered 7-8, altered 15-15",
      "UPDATE audit SET mac = NULL WHERE seq = 7|altered 7-7",
      "UPDATE audit SET chain = NULL WHERE seq = 7|altered 7-7",
      "UPDATE audit SET chain = (SELECT chain FROM audit WHERE seq = 3) WHERE seq = 7|altered 7-7",
      "DELETE FROM audit WHERE seq = 7|missing 7-7",
      "DELETE FROM audit WHERE seq IN (3, 7, 8, 9)|missing 3-3, missing 7-9",
      "DELETE FROM audit WHERE seq <= 4|missing 1-4", "DELETE FROM audit WHERE seq > 15|cut 16-20",
      "DELETE FROM audit|cut 1-20",
      // A gap that is closed, two that change places, the newest one's number.
      "DELETE FROM audit WHERE seq = 7; UPDATE audit SET seq = 7 WHERE seq = 8|altered 7-7, "
      "missing "
      "8-8",
      "UPDATE audit SET seq = 70 WHERE seq = 7; UPDATE audit SET seq = 7 WHERE seq = 8; UPDATE "
      "audit SET seq = 8 WHERE seq = 70|altered 7-8",
      "INSERT INTO audit VALUES (21, '{\"event\":\"e\"}', x'00', x'00')|altered 21-21",
      "INSERT INTO audit SELECT 21, record, mac, chain FROM audit WHERE seq = 20|altered 21-21",
      "INSERT INTO audit SELECT -3, record, mac, chain FROM audit WHERE seq = 20|altered -3--3",
      "DELETE FROM audit_anchor|beginning 0-0",
      "UPDATE audit_anchor SET seq = 5, chain = (SELECT chain FROM audit WHERE seq = 5); DELETE "
      "FROM "
      "audit WHERE seq <= 5|beginning 0-0");
  const auto sql = all.substr(0, all.find('|'));
  INFO(sql);
  Archive archive;
  archive.record(20);
  archive.tamper(sql);
  CHECK(archive.verdict() == all.substr(all.find('|') + 1));
}

TEST_CASE("who has the key of the rows, and not the chain's, is found too", "[audit][chain]") {
  Archive archive;
  archive.record(20);
  archive.tamper("UPDATE audit SET record = '{}', mac = " AUDIT_MAC("seq", "'{}'") " WHERE seq = 7",
                 kRowKey);
  CHECK(archive.verdict() == "altered 7-7");
}

TEST_CASE("records that went while nexusd did not run are told when it starts", "[audit][chain]") {
  Archive archive;
  archive.record(20);
  archive.log.reset();
  archive.tamper("DELETE FROM audit WHERE seq > 15");
  archive.open();
  CHECK(archive.log->trouble().starts_with("the records 16 to 20 are gone"));
  archive.record(2);
  CHECK(archive.verdict() == "lost 16-20");
  const auto newest = archive.log->find({.limit = 1});
  REQUIRE(newest);
  CHECK(newest->front().sequence == 22);
  archive.open();
  CHECK(archive.log->trouble().empty());
  CHECK(archive.verdict() == "lost 16-20");
}

TEST_CASE("a log that is put back to what it was is told", "[audit][chain]") {
  using std::filesystem::copy_options;
  Archive archive;
  archive.record(10);
  archive.log.reset();
  std::filesystem::copy_file(archive.file("audit.db"), archive.file("yesterday"));
  archive.open();
  archive.record(5);
  archive.log.reset();
  std::filesystem::copy_file(archive.file("yesterday"), archive.file("audit.db"),
                             copy_options::overwrite_existing);
  archive.open();
  CHECK(archive.log->trouble().starts_with("the records 11 to 15 are gone"));
}

TEST_CASE("a log that is gone, or its head, is told; and the numbers go on", "[audit][chain]") {
  Archive archive;
  archive.record(10);
  archive.log.reset();
  SECTION("the head") {
    std::filesystem::remove(archive.file("audit.head"));
    archive.open();
    CHECK(archive.log->trouble().starts_with("audit.head is gone"));
    archive.record(1);
    CHECK(archive.verdict().empty());
  }
  SECTION("a head that nobody with the key wrote") {
    std::ofstream(archive.file("audit.head"), std::ios::trunc) << std::string(128, 'n');
    archive.open();
    CHECK(archive.log->trouble().starts_with("audit.head is gone"));
  }
  SECTION("the log") {
    std::filesystem::remove(archive.file("audit.db"));
    archive.open();
    CHECK(archive.log->trouble() == "all that was on record is gone");
    archive.record(1);
    const auto newest = archive.log->find({.limit = 1});
    REQUIRE(newest);
    CHECK(newest->front().sequence == 11);
  }
  SECTION("both") {
    std::filesystem::remove(archive.file("audit.db"));
    std::filesystem::remove(archive.file("audit.head"));
    archive.open();
    CHECK(archive.log->trouble() == "all that was on record is gone");
  }
}

TEST_CASE("a head that changes while nexusd runs is told", "[audit][chain]") {
  Archive archive;
  archive.record(10);
  std::ofstream(archive.file("audit.head"), std::ios::trunc) << "nothing";
  CHECK(archive.verdict() == "head 10-10");
  archive.record(2);  // both of its places are written anew
  CHECK(archive.verdict().empty());
}

TEST_CASE("half a head leaves the one before it", "[audit][chain]") {
  const TemporaryDirectory directory;
  const AuditChain chain(kAuditKey);
  const auto path = directory.path() + "/head";
  CHECK_FALSE(AuditHead::read(path, chain));
  {
    auto head = AuditHead::open(path);
    REQUIRE(head);
    for (std::int64_t i = 1; i <= 5; ++i)
      REQUIRE(head->write({i, chain.link(AuditChain::beginning(), i, "")}, chain));
  }
  CHECK(AuditHead::read(path, chain)->sequence == 5);
  CHECK_FALSE(AuditHead::read(path, AuditChain(kRowKey)));
  std::filesystem::resize_file(path, 100);
  CHECK(AuditHead::read(path, chain)->sequence == 5);
  std::filesystem::resize_file(path, 40);
  CHECK_FALSE(AuditHead::read(path, chain));
}

TEST_CASE("what is removed for its age leaves a chain that holds", "[audit][chain]") {
  Archive archive;
  archive.record(20);
  REQUIRE(archive.log->remove_until(8, R"({"event":"audit_pruned"})"));
  CHECK(archive.verdict().empty());
  archive.open();
  archive.record(1);
  CHECK(archive.verdict().empty());
  SECTION("all of it") {
    REQUIRE(archive.log->remove_until(21, R"({"event":"audit_pruned"})"));
    REQUIRE(archive.log->remove_until(23, R"({"event":"audit_pruned"})"));
    archive.open();
    CHECK(archive.log->trouble().empty());
    CHECK(archive.verdict().empty());
  }
  SECTION("and more, by somebody else") {
    archive.tamper("DELETE FROM audit WHERE seq <= 10");
    CHECK(archive.verdict() == "missing 9-10");
  }
  SECTION("which somebody puts back") {
    archive.tamper("INSERT INTO audit SELECT 5, record, mac, chain FROM audit WHERE seq = 9");
    CHECK(archive.verdict() == "altered 5-5");
  }
}

TEST_CASE("the chain begins behind what an older nexusd wrote", "[audit][chain]") {
  Archive archive;
  archive.record(10);
  archive.log.reset();
  archive.tamper("UPDATE audit SET chain = NULL; DELETE FROM audit_anchor");
  archive.open(VaultStage::with_codes);
  CHECK(archive.log->trouble().empty());
  archive.record(5);
  archive.open();
  const std::atomic<bool> stop{false};
  const auto verdict = archive.log->verify(stop);
  REQUIRE(verdict);
  CHECK(verdict->unchained == 10);
  CHECK(verdict->findings.empty());
  archive.tamper("UPDATE audit SET record = '{}' WHERE seq = 4; DELETE FROM audit WHERE seq = 12");
  CHECK(archive.verdict() == "altered 4-4, missing 12-12");
  REQUIRE(archive.log->remove_until(6, "{}"));
  CHECK(archive.verdict() == "missing 12-12");
  // A vault that is chained is not taken for an older one again.
  archive.log.reset();
  archive.tamper("UPDATE audit SET chain = NULL; DELETE FROM audit_anchor");
  archive.open();
  CHECK(archive.log->trouble().starts_with("where its chain begins is gone"));
}

TEST_CASE("a transaction that fails leaves no gap", "[audit][chain]") {
  Archive archive;
  archive.record(3);
  archive.tamper("ALTER TABLE audit RENAME TO hidden");
  CHECK_FALSE(archive.log->append({"{}", "{}"}));
  archive.tamper("ALTER TABLE hidden RENAME TO audit");
  archive.record(3);
  CHECK(archive.verdict().empty());
}
