#include "daemon/scheduler/alarm.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace nexus {
namespace {

/// Clocks are slewed: a little later it is certainly time.
constexpr std::chrono::milliseconds kAllowance(1);

}  // namespace

void Alarm::start(Reactor& reactor, std::function<void()> ring) {
  reactor.expect_on_loop();
  ring_ = std::move(ring);
  const std::lock_guard lock(mutex_);
  reactor_ = &reactor;
}

void Alarm::expect(UnixTime at) {
  const std::lock_guard lock(mutex_);
  if (!reactor_ || (expected_ != 0 && expected_ <= at)) return;
  expected_ = at;
  reactor_->post([this] { arm(); });
}

void Alarm::arm() {
  const std::lock_guard lock(mutex_);
  reactor_->cancel(timer_);
  if (expected_ == 0) return;  // it has rung meanwhile
  const std::chrono::seconds left(std::max<UnixTime>(expected_ - clock_(), 0));
  timer_ = reactor_->after(left + kAllowance, [this] { ring(); });
}

void Alarm::ring() {
  {
    const std::lock_guard lock(mutex_);
    expected_ = 0;
  }
  ring_();
}

}  // namespace nexus
