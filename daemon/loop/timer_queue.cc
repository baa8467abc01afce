#include "daemon/loop/timer_queue.h"

#include <time.h>

#include <utility>

namespace nexus {

BootClock::time_point BootClock::now() {
  timespec time{};
  clock_gettime(CLOCK_BOOTTIME, &time);
  return time_point(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
}

TimerId TimerQueue::add(Time at, Task task) {
  const TimerId timer{at, ++last_number_};
  tasks_.emplace(timer, std::move(task));
  return timer;
}

std::optional<TimerQueue::Time> TimerQueue::next() const {
  if (tasks_.empty()) return std::nullopt;
  return tasks_.begin()->first.at;
}

TimerQueue::Task TimerQueue::take_due(Time now) {
  if (tasks_.empty() || tasks_.begin()->first.at > now) return {};
  return std::move(tasks_.extract(tasks_.begin()).mapped());
}

}  // namespace nexus
