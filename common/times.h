#pragma once

#include <string_view>

#include "common/clock.h"
#include "common/error.h"

namespace nexus {

// Times as people write them.

/// "90", "90s", "5m", "2h", "30d", "2w" in seconds. Error: usage.
Result<UnixTime> parse_duration(std::string_view text);

/// Where a length of time leads that is given instead of a time.
enum class Towards { past, future };

/// A point in time: a length of time from `now`, "now", a day (2026-12-01, yesterday, today,
/// tomorrow), which stands for its beginning, or a time of a day (14:30, 2026-12-01 14:30). Days
/// and times are those of this machine's time zone, unless they name one (2026-12-01T14:30Z, RFC
/// 3339). Error: usage, with the forms there are.
Result<UnixTime> parse_time(std::string_view text, UnixTime now, Towards towards);

}  // namespace nexus
