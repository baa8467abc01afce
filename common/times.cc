#include "common/times.h"

#include <ctime>
#include <optional>
#include <string>

#include "common/rfc3339.h"
#include "common/text.h"

namespace nexus {
namespace {

constexpr UnixTime kDay = 24 * 3600;

UnixTime seconds_of(std::string_view unit) {
  return unit == "s"   ? 1
         : unit == "m" ? 60
         : unit == "h" ? 3600
         : unit == "d" ? kDay
         : unit == "w" ? 7 * kDay
                       : 0;
}

std::optional<UnixTime> length_of_time(std::string_view text) {
  constexpr UnixTime kLongest = 10 * 365 * kDay;
  const auto digits = text.find_first_not_of("0123456789");
  const auto number = parse_number(text.substr(0, digits));
  const auto unit = digits == std::string_view::npos ? 1 : seconds_of(text.substr(digits));
  if (!number || unit == 0 || *number > kLongest / unit) return std::nullopt;
  return *number * unit;
}

/// A day, and a time of it where the clocks are set as here.
struct LocalTime {
  int year = 0;
  int month = 0;
  int day = 0;
  int seconds = 0;  ///< since midnight, by the clock on the wall
};

LocalTime day_at(UnixTime time) {
  const std::time_t seconds = time;
  std::tm here{};
  localtime_r(&seconds, &here);
  return {here.tm_year + 1900, here.tm_mon + 1, here.tm_mday};
}

UnixTime to_unix(const LocalTime& local) {
  std::tm here{};
  here.tm_year = local.year - 1900;
  here.tm_mon = local.month - 1;
  here.tm_mday = local.day;
  here.tm_hour = local.seconds / 3600;
  here.tm_min = local.seconds / 60 % 60;
  here.tm_sec = local.seconds % 60;
  here.tm_isdst = -1;
  const auto time = static_cast<UnixTime>(std::mktime(&here));
  if (local.seconds != 0) return time;
  // Clocks that are set forward at midnight leave the day without it, and it begins an hour later;
  // those that are set back give it two, and it begins with the first.
  if (day_at(time).day != day_at(time + 3600).day) return time + 3600;
  return day_at(time).day == day_at(time - 3600).day ? time - 3600 : time;
}

/// "14:30" or "14:30:05", in seconds since midnight.
std::optional<int> time_of_day(std::string_view text) {
  if ((text.size() != 5 && text.size() != 8) || text[2] != ':') return std::nullopt;
  if (text.size() == 8 && text[5] != ':') return std::nullopt;
  const auto hour = parse_number(text.substr(0, 2));
  const auto minute = parse_number(text.substr(3, 2));
  const auto second =
      text.size() == 8 ? parse_number(text.substr(6)) : std::optional<std::int64_t>(0);
  if (!hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 59)
    return std::nullopt;
  return static_cast<int>(*hour * 3600 + *minute * 60 + *second);
}

/// "2026-12-01"; nothing for what is no day of the calendar.
std::optional<LocalTime> day_named(std::string_view text) {
  // The calendar is the same everywhere.
  const auto midnight = parse_rfc3339(std::string(text) + "T00:00:00Z");
  if (!midnight || text.size() != 10) return std::nullopt;
  return LocalTime{static_cast<int>(*parse_number(text.substr(0, 4))),
                   static_cast<int>(*parse_number(text.substr(5, 2))),
                   static_cast<int>(*parse_number(text.substr(8)))};
}

std::optional<UnixTime> relative_day(std::string_view text, UnixTime now) {
  auto day = day_at(now);
  if (text == "yesterday") {
    --day.day;  // the first's is the last of the month before, as mktime has it
  } else if (text == "tomorrow") {
    ++day.day;
  } else if (text != "today") {
    return std::nullopt;
  }
  return to_unix(day);
}

/// "2026-12-01", "2026-12-01 14:30", "2026-12-01T14:30Z" and RFC 3339.
std::optional<UnixTime> dated(std::string_view text) {
  constexpr std::size_t kDate = 10;
  constexpr std::size_t kMinutes = 16;
  auto day = day_named(text.substr(0, kDate));
  if (!day) return std::nullopt;
  if (text.size() == kDate) return to_unix(*day);
  if (text[kDate] != 'T' && text[kDate] != ' ') return std::nullopt;
  if (const auto time = time_of_day(text.substr(kDate + 1))) {
    day->seconds = *time;
    return to_unix(*day);
  }
  auto full = std::string(text);
  full[kDate] = 'T';
  if (full.size() > kMinutes && full[kMinutes] != ':') full.insert(kMinutes, ":00");
  return parse_rfc3339(full);
}

}  // namespace

Result<UnixTime> parse_duration(std::string_view text) {
  if (const auto length = length_of_time(text)) return *length;
  return Error{ErrorCode::usage, "'" + printable(text, 40) + "' is not a length of time",
               "for example 90s, 5m, 2h, 30d or 2w"};
}

Result<UnixTime> parse_time(std::string_view text, UnixTime now, Towards towards) {
  if (const auto length = length_of_time(text))
    return towards == Towards::past ? now - *length : now + *length;
  if (text == "now") return now;
  if (const auto day = relative_day(text, now)) return *day;
  if (const auto time = dated(text)) return *time;
  if (const auto time = time_of_day(text)) {
    auto today = day_at(now);
    today.seconds = *time;
    return to_unix(today);
  }
  const bool past = towards == Towards::past;
  return Error{ErrorCode::usage, "'" + printable(text, 40) + "' is not a time",
               std::string("for example 2h, 30d or 2w, ") +
                   (past ? "yesterday, today" : "tomorrow") +
                   ", 2026-12-01, '2026-12-01 14:30', 14:30 or 2026-12-01T14:30:00Z"};
}

}  // namespace nexus
