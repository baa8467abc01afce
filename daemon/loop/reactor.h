#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <source_location>
#include <thread>
#include <unordered_map>
#include <vector>

#include "daemon/loop/timer_queue.h"

struct epoll_event;

namespace nexus {

/// A descriptor that a Reactor watches; by default none. Never used twice.
using WatchId = std::uint64_t;

/// One thread that waits for everything at once: descriptors that become ready, times that come,
/// and tasks that other threads hand over. What it calls must not wait for anything.
///
/// The thread that makes it runs it: the loop's thread. What only that one may call ends the
/// process when another one does, in every build; a race would be worse.
///
/// It goes in turns: what is ready or due, then what was posted, then what was left for the end of
/// the turn.
class Reactor {
 public:
  using Task = std::function<void()>;
  using Ready = std::function<void(std::uint32_t events)>;

  Reactor();
  ~Reactor();
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;

  // Any thread.

  /// Has the loop's thread run this. Tasks are run in the order in which they were posted.
  void post(Task task);
  /// Has `run` return at the end of the turn, after all that was posted before.
  void stop();
  bool on_loop() const { return std::this_thread::get_id() == thread_; }
  /// Ends the process on any thread but the loop's, naming the function that was called there.
  void expect_on_loop(std::source_location where = std::source_location::current()) const {
    if (!on_loop()) end_on_wrong_thread(where);
  }

  // The loop's thread, which includes everything that the reactor calls.

  /// Calls `ready` while any of these epoll events is there (level-triggered), or EPOLLHUP or
  /// EPOLLERR.
  WatchId watch(int fd, std::uint32_t events, Ready ready);
  /// Other events from now on; of 0 nothing at all is told, not even that the other end has gone.
  void modify(WatchId watch, std::uint32_t events);
  /// `ready` is not called any more, whatever this turn still had to tell. Before the descriptor is
  /// closed.
  void unwatch(WatchId watch);

  /// Runs the task once, not before so much time has passed. The time asleep counts.
  TimerId after(std::chrono::nanoseconds delay, Task task);
  /// Does nothing for a timer that has run down.
  void cancel(const TimerId& timer);

  /// Runs the task once at the end of this turn; called from there, at the end of the next one,
  /// which then comes at once.
  void at_turn_end(Task task);

  /// Runs until `stop`.
  void run();

 private:
  struct Watch {
    int fd = -1;
    std::uint32_t events = 0;
    Ready ready;
  };

  [[noreturn]] static void end_on_wrong_thread(const std::source_location& where);
  void wait();
  /// That nothing is there to be done; from then on whoever posts has to wake it.
  bool goes_to_sleep();
  void dispatch(const epoll_event& event);
  void arm_timer();
  void run_due();
  void run_posted();
  void end_turn();

  const std::thread::id thread_ = std::this_thread::get_id();
  int epoll_ = -1;
  int wakeup_ = -1;  ///< an eventfd: something was posted
  int timer_ = -1;   ///< a timerfd: the first of `timers_` is due
  std::vector<epoll_event> ready_;
  std::unordered_map<WatchId, Watch> watches_;
  /// Unwatched in this turn: one of them may be who is running.
  std::vector<std::unordered_map<WatchId, Watch>::node_type> retired_;
  WatchId last_watch_ = 0;
  TimerQueue timers_;
  std::optional<TimerQueue::Time> armed_for_;
  std::vector<Task> turn_end_;
  std::vector<Task> ending_;  ///< empty but for its memory
  bool stopped_ = false;

  std::mutex mutex_;
  std::vector<Task> posted_;
  bool asleep_ = false;
};

}  // namespace nexus
