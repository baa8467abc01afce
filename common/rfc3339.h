#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/clock.h"

namespace nexus {

/// 2026-12-31T23:59:59Z
std::string rfc3339(UnixTime time);
/// Any RFC 3339 date-time; fractions of a second are cut off.
std::optional<UnixTime> parse_rfc3339(std::string_view text);

}  // namespace nexus
