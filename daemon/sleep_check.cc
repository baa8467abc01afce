#include "daemon/sleep_check.h"

#include <time.h>

#include <algorithm>
#include <utility>

namespace nexus {
namespace {

using namespace std::chrono_literals;

/// No sleep is as short.
constexpr auto kTolerated = 100ms;
constexpr int kReadings = 3;

std::chrono::nanoseconds reading(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

std::chrono::nanoseconds time_asleep() {
  // A thread that loses its processor between the two sees less, never a sleep that was none.
  const auto with_sleep = reading(CLOCK_BOOTTIME);
  return with_sleep - reading(CLOCK_MONOTONIC);
}

void SleepCheck::begin(std::function<void()> noticed) {
  noticed_ = std::move(noticed);
  begin_again();
}

void SleepCheck::begin_again() {
  // Here less would be one; it loses its processor once.
  auto asleep = asleep_();
  for (int reading = 1; reading < kReadings; ++reading) asleep = std::max(asleep, asleep_());
  most_ = asleep + kTolerated;
  is_told_ = false;
}

bool SleepCheck::has_slept() {
  const auto most = most_.load(std::memory_order_relaxed);
  if (most == std::chrono::nanoseconds::max() || asleep_() <= most) return false;
  if (!is_told_.exchange(true)) noticed_();
  return true;
}

}  // namespace nexus
