#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <utility>

namespace nexus {

/// How long this machine has been asleep since it was started.
std::chrono::nanoseconds time_asleep();

/// Notices that the machine has slept, for a vault that is to be locked then. Thread-safe.
class SleepCheck {
 public:
  using Asleep = std::function<std::chrono::nanoseconds()>;

  explicit SleepCheck(Asleep asleep = time_asleep) : asleep_(std::move(asleep)) {}

  /// Until this nothing is noticed. `noticed` is called on whatever thread notices it, once for
  /// each time that is begun. Before another thread asks.
  void begin(std::function<void()> noticed);
  /// From now on again: what was noticed is done, or cannot be done now.
  void begin_again();
  /// Whether it has slept since.
  bool has_slept();

 private:
  const Asleep asleep_;
  std::function<void()> noticed_;
  /// Of a machine that has not slept since.
  std::atomic<std::chrono::nanoseconds> most_{std::chrono::nanoseconds::max()};
  std::atomic<bool> is_told_{false};
};

}  // namespace nexus
