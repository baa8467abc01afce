#pragma once

#include <functional>
#include <mutex>

#include "common/clock.h"
#include "daemon/loop/reactor.h"

namespace nexus {

/// Rings at the earliest of the times that it was told of. The time asleep counts, so that a
/// machine which was suspended catches up as it wakes.
class Alarm {
 public:
  explicit Alarm(Clock clock) : clock_(std::move(clock)) {}

  /// From now on `ring` is called on the loop's thread, until the reactor has stopped. The loop's
  /// thread.
  void start(Reactor& reactor, std::function<void()> ring);
  /// Any thread. Before `start` nothing is kept.
  void expect(UnixTime at);

 private:
  void arm();
  void ring();

  Clock clock_;
  std::function<void()> ring_;
  TimerId timer_;  ///< the loop's thread
  std::mutex mutex_;
  Reactor* reactor_ = nullptr;
  UnixTime expected_ = 0;  ///< 0: nothing
};

}  // namespace nexus
