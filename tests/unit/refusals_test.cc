#include "daemon/refusals.h"

#include <nlohmann/json.hpp>

#include "tests/support/catch.h"
#include "tests/support/test_clock.h"

using namespace nexus;
using namespace nexus::test;

namespace {

class FakeAuditLog : public AuditLog {
 public:
  Result<void> append(const std::vector<std::string>& records) override {
    if (full) return Error{ErrorCode::audit_unavailable, "the disk is full", ""};
    for (const auto& record : records) written.push_back(nlohmann::json::parse(record));
    return {};
  }
  Result<std::vector<Entry>> find(const Filter&) override { return std::vector<Entry>(); }
  Result<std::vector<Age>> oldest(std::int64_t) override { return std::vector<Age>(); }
  Result<std::int64_t> size() override { return 0; }
  Result<void> remove_until(std::int64_t, const std::string&) override { return {}; }
  Result<bool> give_back_space() override { return false; }
  void on_growth(std::function<void()>) override {}
  Result<api::AuditVerdict> verify(const std::atomic<bool>&) override {
    return api::AuditVerdict();
  }
  Result<void> copy_into(const std::string&) override { return {}; }
  const std::string& trouble() const override { return none; }

  const std::string none;
  bool full = false;
  std::vector<nlohmann::json> written;
};

struct Desk {
  FakeAuditLog log;
  TestClock clock;
  Audit audit{log, clock.wall()};
  Due due;
  Refusals refusals{audit, due, clock.hand_out()};

  /// Whether it got a record of its own.
  bool refuse(const Caller& caller, const std::string& detail = "forged",
              AuditEvent event = AuditEvent::state_verification_failed) {
    return refusals.note(event, caller, detail).has_value();
  }
  void minute_passes() {
    clock.advance(60);
    refusals.tell();
  }
};

Caller stranger(const std::string& peer) {
  Caller caller;
  caller.via = Caller::Via::gateway;
  caller.peer = peer;
  return caller;
}

}  // namespace

TEST_CASE("the first of a flood is on record at once, the others as one", "[audit]") {
  Desk desk;
  CHECK(desk.refuse(stranger("192.0.2.1")));
  CHECK_FALSE(desk.refuse(stranger("192.0.2.2"), "the second"));
  for (int i = 0; i < 998; ++i) CHECK_FALSE(desk.refuse(stranger("192.0.2.3")));
  desk.refusals.tell();
  CHECK(desk.log.written.empty());
  desk.minute_passes();
  REQUIRE(desk.log.written.size() == 1);
  const auto& record = desk.log.written[0];
  CHECK(record["event"] == "state_verification_failed");
  CHECK(record["outcome"] == "refused");
  CHECK(record["count"] == 999);
  CHECK(record["peer"] == "192.0.2.2");
  CHECK(record["detail"] == "999 within a minute, the first: the second");
}

TEST_CASE("a flood that goes on makes one record a minute, and ends with a quiet one", "[audit]") {
  Desk desk;
  CHECK(desk.refuse(stranger("192.0.2.1")));
  for (int minute = 0; minute < 5; ++minute) {
    for (int i = 0; i < 100; ++i) CHECK_FALSE(desk.refuse(stranger("192.0.2.1")));
    desk.minute_passes();
  }
  CHECK(desk.log.written.size() == 5);
  desk.minute_passes();
  CHECK(desk.log.written.size() == 5);
  CHECK(desk.refuse(stranger("192.0.2.1")));
}

TEST_CASE("each kind is counted for itself", "[audit]") {
  Desk desk;
  const auto peer = stranger("192.0.2.1");
  CHECK(desk.refuse(peer));
  CHECK(desk.refuse(peer, "/v1/keys", AuditEvent::api_key_refused));
  CHECK_FALSE(desk.refuse(peer));
  desk.minute_passes();
  CHECK(desk.log.written.size() == 1);
}

TEST_CASE("what the holder of a key does wrong is on record each time", "[audit]") {
  Desk desk;
  auto known = stranger("192.0.2.1");
  known.key = "k1";
  for (int i = 0; i < 3; ++i) CHECK(desk.refuse(known));
  CHECK(desk.refuse(stranger("192.0.2.1")));
}

TEST_CASE("a count that cannot be put on record is told later, or at the end", "[audit]") {
  Desk desk;
  for (int i = 0; i < 4; ++i) desk.refuse(stranger("192.0.2.1"));
  desk.log.full = true;
  desk.minute_passes();
  desk.refuse(stranger("192.0.2.1"));
  desk.log.full = false;
  desk.refusals.tell_all();
  REQUIRE(desk.log.written.size() == 1);
  CHECK(desk.log.written[0]["count"] == 4);
}

TEST_CASE("counts are asked for when their minute has passed", "[audit]") {
  Desk desk;
  std::vector<UnixTime> rung;
  desk.due.listen(Due::What::refusals, [&](UnixTime at) { rung.push_back(at); });
  desk.refuse(stranger("192.0.2.1"));
  CHECK(rung == std::vector<UnixTime>{desk.clock.now() + 60});
}
