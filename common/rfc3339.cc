#include "common/rfc3339.h"

#include <ctime>

#include "common/text.h"

namespace nexus {

std::string rfc3339(UnixTime time) {
  const std::time_t seconds = time;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

std::optional<UnixTime> parse_rfc3339(std::string_view text) {
  constexpr std::size_t kToSeconds = 19;
  if (text.size() <= kToSeconds || text.size() > 40) return std::nullopt;
  const std::string date(text.substr(0, kToSeconds));
  if (date.find(' ') != std::string::npos) return std::nullopt;  // strptime passes over blanks
  std::tm utc{};
  const char* end = strptime(date.c_str(), "%Y-%m-%dT%H:%M:%S", &utc);
  if (!end || *end) return std::nullopt;
  auto day = utc;
  day.tm_hour = day.tm_min = day.tm_sec = 0;
  const auto month_day = day.tm_mday;
  if (timegm(&day); day.tm_mday != month_day) return std::nullopt;  // 31 February
  auto rest = text.substr(kToSeconds);
  if (rest.starts_with('.')) {
    const auto digits_end = rest.find_first_not_of("0123456789", 1);
    if (digits_end == 1 || digits_end == std::string_view::npos) return std::nullopt;
    rest.remove_prefix(digits_end);
  }
  const auto time = static_cast<UnixTime>(timegm(&utc));
  if (rest == "Z" || rest == "z") return time;
  if (rest.size() != 6 || (rest[0] != '+' && rest[0] != '-') || rest[3] != ':') return std::nullopt;
  const auto hours = parse_number(rest.substr(1, 2));
  const auto minutes = parse_number(rest.substr(4, 2));
  if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  const auto offset = (*hours * 60 + *minutes) * 60;
  return rest[0] == '+' ? time - offset : time + offset;
}

}  // namespace nexus
