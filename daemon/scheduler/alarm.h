#pragma once

#include <functional>
#include <mutex>

#include "common/clock.h"
#include "daemon/http/event_loop.h"

namespace nexus {

/// Rings at the earliest of the times that it was told of. The time asleep counts (CLOCK_BOOTTIME),
/// so that a machine which was suspended catches up as it wakes.
class Alarm {
 public:
  explicit Alarm(Clock clock) : clock_(std::move(clock)) {}
  ~Alarm();
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

  /// `ring` is called on the loop's thread. Error: failure without a timer.
  Result<void> start(http::EventLoop& loop, std::function<void()> ring);
  /// Any thread. Before `start` nothing is kept.
  void expect(UnixTime at);

 private:
  Clock clock_;
  int timer_ = -1;
  std::mutex mutex_;
  UnixTime armed_for_ = 0;  ///< 0: not armed
};

}  // namespace nexus
