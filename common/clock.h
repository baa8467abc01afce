#pragma once

#include <cstdint>
#include <functional>

namespace nexus {

/// Seconds since 1970-01-01T00:00:00Z.
using UnixTime = std::int64_t;

/// Where every part gets the time from, so that tests can turn it.
using Clock = std::function<UnixTime()>;

UnixTime system_now();

}  // namespace nexus
