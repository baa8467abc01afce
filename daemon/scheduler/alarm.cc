#include "daemon/scheduler/alarm.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

namespace nexus {

Alarm::~Alarm() {
  if (timer_ >= 0) close(timer_);
}

Result<void> Alarm::start(http::EventLoop& loop, std::function<void()> ring) {
  timer_ = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
  if (timer_ < 0) return Error{ErrorCode::failure, "there is no timer", ""};
  loop.watch(timer_, [this, ring = std::move(ring)] {
    std::uint64_t times = 0;
    [[maybe_unused]] const auto got = read(timer_, &times, sizeof times);
    {
      const std::lock_guard lock(mutex_);
      armed_for_ = 0;
    }
    ring();
  });
  return {};
}

void Alarm::expect(UnixTime at) {
  const std::lock_guard lock(mutex_);
  if (timer_ < 0 || (armed_for_ != 0 && armed_for_ <= at)) return;
  armed_for_ = at;
  itimerspec when{};
  when.it_value.tv_sec = std::max<UnixTime>(at - clock_(), 0);
  when.it_value.tv_nsec = 1'000'000;  // a timer of 0 is none
  timerfd_settime(timer_, 0, &when, nullptr);
}

}  // namespace nexus
