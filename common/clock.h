#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>

namespace nexus {

/// Seconds since 1970-01-01T00:00:00Z.
using UnixTime = std::int64_t;

/// Where every part gets the time from, so that tests can turn it.
using Clock = std::function<UnixTime()>;

/// The machine's wall clock, wherever it is set: for times that others dated (id_tokens, answers,
/// HTTP dates) or that they will read (assertions, the audit log, when a connection was made).
UnixTime system_now();

/// For what nexusd itself dated: the lives of its tokens and flows, waits, what is due. A wall
/// clock that does not believe that time goes back: when the system's is set back by two seconds or
/// more, this one goes on with the time since boot (which counts while the machine sleeps). What
/// was to expire in a minute still does.
class ForwardClock {
 public:
  /// The time for these readings of CLOCK_REALTIME and CLOCK_BOOTTIME, in milliseconds.
  UnixTime at(std::int64_t wall_ms, std::int64_t boot_ms);

 private:
  std::atomic<std::int64_t> most_ahead_ms_{std::numeric_limits<std::int64_t>::min()};
};

/// The process's ForwardClock, now.
UnixTime forward_now();
/// By how many seconds it is ahead of the system's: 0 unless that was set back.
UnixTime clock_ahead();

}  // namespace nexus
