#include "common/times.h"

#include <stdlib.h>
#include <time.h>

#include <optional>
#include <utility>

#include "common/rfc3339.h"
#include "tests/support/catch.h"
#include "tests/support/variable.h"

using namespace nexus;

namespace {

/// This machine's time zone, for one test.
class TimeZone {
 public:
  explicit TimeZone(const char* zone) : variable_(std::in_place, "TZ", zone) { tzset(); }
  ~TimeZone() {
    variable_.reset();
    tzset();
  }
  TimeZone(const TimeZone&) = delete;
  TimeZone& operator=(const TimeZone&) = delete;

 private:
  std::optional<test::Variable> variable_;
};

// By their rules, so that they hold without a database of zones.
constexpr auto kBerlin = "CET-1CEST,M3.5.0,M10.5.0/3";
constexpr auto kAzores = "<-01>1<+00>,M3.5.0/0,M10.5.0/1";  // sets them back to midnight
constexpr auto kCairo = "EET-2EEST,M4.5.5/0,M10.5.4/24";    // sets its clocks at midnight

std::string told(std::string_view text, const char* now = "2026-11-28T14:00:00Z",
                 Towards towards = Towards::past) {
  const auto time = parse_time(text, *parse_rfc3339(now), towards);
  return time ? rfc3339(*time) : time.error().message;
}

}  // namespace

TEST_CASE("a length of time has a unit, or is in seconds", "[times]") {
  for (const auto& [text, seconds] :
       std::initializer_list<std::pair<const char*, UnixTime>>{{"0", 0},
                                                               {"90", 90},
                                                               {"90s", 90},
                                                               {"5m", 300},
                                                               {"2h", 7200},
                                                               {"30d", 2592000},
                                                               {"2w", 1209600},
                                                               {"520w", 314496000}})
    CHECK(*parse_duration(text) == seconds);
  for (const char* text : {"", "s", "-1s", "1.5h", "1 h", "2y", "h2", "99999999999999999999",
                           "522w", "2h30m", "2 w", "\x1b[2J"}) {
    INFO(text);
    const auto bad = parse_duration(text);
    REQUIRE_FALSE(bad);
    CHECK(bad.error().code == ErrorCode::usage);
    CHECK(bad.error().hint.find("2w") != std::string::npos);
  }
}

TEST_CASE("a time is a length from now, a day or a time of a day", "[times]") {
  const TimeZone here("UTC0");
  CHECK(told("2h") == "2026-11-28T12:00:00Z");
  CHECK(told("2w", "2026-11-28T14:00:00Z", Towards::future) == "2026-12-12T14:00:00Z");
  CHECK(told("now") == "2026-11-28T14:00:00Z");
  CHECK(told("yesterday") == "2026-11-27T00:00:00Z");
  CHECK(told("today") == "2026-11-28T00:00:00Z");
  CHECK(told("tomorrow") == "2026-11-29T00:00:00Z");
  CHECK(told("2026-12-01") == "2026-12-01T00:00:00Z");
  CHECK(told("2026-12-01 14:30") == "2026-12-01T14:30:00Z");
  CHECK(told("2026-12-01T14:30:05") == "2026-12-01T14:30:05Z");
  CHECK(told("09:15") == "2026-11-28T09:15:00Z");
  CHECK(told("yesterday", "2026-03-01T00:00:00Z") == "2026-02-28T00:00:00Z");
  CHECK(told("tomorrow", "2028-02-28T23:59:59Z") == "2028-02-29T00:00:00Z");
  CHECK(told("tomorrow", "2026-12-31T23:59:59Z") == "2027-01-01T00:00:00Z");
}

TEST_CASE("a time that names its zone is the same everywhere", "[times]") {
  for (const char* zone : {"UTC0", kBerlin, "NST3:30NDT,M3.2.0,M11.1.0", "<+14>-14"}) {
    const TimeZone here(zone);
    CHECK(told("2026-12-01T14:30:00Z") == "2026-12-01T14:30:00Z");
    CHECK(told("2026-12-01T14:30:00.5+05:30") == "2026-12-01T09:00:00Z");
    CHECK(told("2026-12-01T14:30Z") == "2026-12-01T14:30:00Z");
    CHECK(told("2026-12-01 14:30+01:00") == "2026-12-01T13:30:00Z");
  }
}

TEST_CASE("days are as long as they are here, also when the clocks are changed", "[times]") {
  const TimeZone here(kBerlin);
  // The 25th of October 2026 has 25 hours, the 29th of March 23.
  CHECK(told("today", "2026-10-25T22:30:00Z") == "2026-10-24T22:00:00Z");
  CHECK(told("tomorrow", "2026-10-24T22:30:00Z") == "2026-10-25T23:00:00Z");
  CHECK(told("yesterday", "2026-10-26T12:00:00Z") == "2026-10-24T22:00:00Z");
  CHECK(told("tomorrow", "2026-03-28T23:30:00Z") == "2026-03-29T22:00:00Z");
  CHECK(told("1d", "2026-10-26T12:00:00Z") == "2026-10-25T12:00:00Z");
  CHECK(told("2026-07-01 14:30") == "2026-07-01T12:30:00Z");
  CHECK(told("2026-12-01 14:30") == "2026-12-01T13:30:00Z");
  // In the hour that is left out there is no such time: what the clocks then show is meant.
  CHECK(told("2026-03-29 02:30") == "2026-03-29T01:30:00Z");

  const TimeZone there(kCairo);
  CHECK(told("2026-04-24") == "2026-04-23T22:00:00Z");
  CHECK(told("tomorrow", "2026-04-23T12:00:00Z") == "2026-04-23T22:00:00Z");

  const TimeZone twice(kAzores);
  CHECK(told("2026-10-25") == "2026-10-25T00:00:00Z");
  CHECK(told("2026-10-26") == "2026-10-26T01:00:00Z");
}

TEST_CASE("what is no time says what would be one", "[times]") {
  const TimeZone here("UTC0");
  for (const char* text :
       {"", "soon", "2026-02-30", "2026-13-01", "2026-1-1", "26-01-01", "2026-12- 1",
        "2026-12-01T 4:30:00Z", "2026-12-01T", "2026-12-01T25:00", "2026-12-01 14:60", "14:3",
        "24:00", "2026-12-01T14:30:00+99:00", "2026-12-01x14:30", "2026/12/01", "-2h"}) {
    INFO(text);
    const auto bad = parse_time(text, 0, Towards::future);
    REQUIRE_FALSE(bad);
    CHECK(bad.error().code == ErrorCode::usage);
    for (const char* form : {"30d", "tomorrow", "2026-12-01", "14:30"})
      CHECK(bad.error().hint.find(form) != std::string::npos);
  }
}
