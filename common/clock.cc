#include "common/clock.h"

#include <time.h>

#include <algorithm>
#include <chrono>

namespace nexus {
namespace {

/// What clocks drift, and are slewed back, without anybody having set them.
constexpr std::int64_t kToleratedMs = 2000;

std::int64_t reading_ms(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return time.tv_sec * 1000 + time.tv_nsec / 1'000'000;
}

ForwardClock& process_clock() {
  static ForwardClock clock;
  return clock;
}

}  // namespace

UnixTime system_now() {
  using namespace std::chrono;
  return duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
}

UnixTime ForwardClock::at(std::int64_t wall_ms, std::int64_t boot_ms) {
  const auto ahead = wall_ms - boot_ms;
  auto most = most_ahead_ms_.load();
  while (ahead > most && !most_ahead_ms_.compare_exchange_weak(most, ahead)) {
  }
  most = std::max(most, ahead);
  return (most - ahead < kToleratedMs ? wall_ms : boot_ms + most) / 1000;
}

UnixTime forward_now() {
  return process_clock().at(reading_ms(CLOCK_REALTIME), reading_ms(CLOCK_BOOTTIME));
}

UnixTime clock_ahead() {
  const auto wall = reading_ms(CLOCK_REALTIME);
  return process_clock().at(wall, reading_ms(CLOCK_BOOTTIME)) - wall / 1000;
}

}  // namespace nexus
