#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>

namespace nexus {

/// The time since boot. It goes on while the machine sleeps, and nobody can set it.
struct BootClock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<BootClock>;
  static constexpr bool is_steady = true;
  static time_point now();
};

/// A task that waits in a TimerQueue; by default none.
struct TimerId {
  BootClock::time_point at{};
  std::uint64_t number = 0;
  auto operator<=>(const TimerId&) const = default;
};

/// Tasks in the order of the times at which they are due; those of one time in the order in which
/// they were added. It reads no clock. For one thread.
class TimerQueue {
 public:
  using Time = BootClock::time_point;
  using Task = std::function<void()>;

  TimerId add(Time at, Task task);
  /// Does nothing for a task that was taken or cancelled before.
  void cancel(const TimerId& timer) { tasks_.erase(timer); }
  std::optional<Time> next() const;
  /// Takes out the first task, if its time has come; an empty one if not.
  Task take_due(Time now);

 private:
  std::map<TimerId, Task> tasks_;
  std::uint64_t last_number_ = 0;
};

}  // namespace nexus
