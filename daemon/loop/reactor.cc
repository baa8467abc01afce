#include "daemon/loop/reactor.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "daemon/last_catch.h"
#include "daemon/log.h"

namespace nexus {
namespace {

constexpr std::size_t kEventsAtOnce = 256;

epoll_event event_of(WatchId watch, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = watch;
  return event;
}

/// Makes an eventfd or a timerfd unreadable again.
void clear(int fd) {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = read(fd, &count, sizeof count);
}

}  // namespace

Reactor::Reactor()
    : epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wakeup_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      // The one clock that does not stop while the machine sleeps; epoll_wait's own does.
      timer_(timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC)),
      ready_(kEventsAtOnce) {
  if (epoll_ < 0 || wakeup_ < 0 || timer_ < 0) std::abort();
  watch(wakeup_, EPOLLIN, [this](std::uint32_t) { clear(wakeup_); });
  watch(timer_, EPOLLIN, [this](std::uint32_t) { run_due(); });
}

Reactor::~Reactor() {
  close(timer_);
  close(wakeup_);
  close(epoll_);
}

void Reactor::end_on_wrong_thread(const std::source_location& where) {
  log(LogLevel::error, "called_on_the_wrong_thread", {{"function", where.function_name()}});
  std::abort();
}

void Reactor::post(Task task) {
  bool was_asleep = false;
  {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(task));
    was_asleep = std::exchange(asleep_, false);
  }
  if (!was_asleep) return;  // it looks before it sleeps, or somebody has woken it
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(wakeup_, &one, sizeof one);
}

void Reactor::stop() {
  post([this] { stopped_ = true; });
}

WatchId Reactor::watch(int fd, std::uint32_t events, Ready ready) {
  expect_on_loop();
  const auto id = ++last_watch_;
  auto event = event_of(id, events);
  epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  watches_.emplace(id, Watch{fd, events, std::move(ready)});
  return id;
}

void Reactor::modify(WatchId watch, std::uint32_t events) {
  expect_on_loop();
  const auto found = watches_.find(watch);
  if (found == watches_.end() || found->second.events == events) return;
  auto& [fd, old_events, ready] = found->second;
  // The kernel tells of a hangup whatever is asked for, again and again: so it must not know.
  const int change = events == 0 ? EPOLL_CTL_DEL : old_events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  auto event = event_of(watch, events);
  epoll_ctl(epoll_, change, fd, &event);
  old_events = events;
}

void Reactor::unwatch(WatchId watch) {
  expect_on_loop();
  modify(watch, 0);
  if (auto retired = watches_.extract(watch)) retired_.push_back(std::move(retired));
}

TimerId Reactor::after(std::chrono::nanoseconds delay, Task task) {
  expect_on_loop();
  return timers_.add(BootClock::now() + delay, std::move(task));
}

void Reactor::cancel(const TimerId& timer) {
  expect_on_loop();
  timers_.cancel(timer);
}

void Reactor::at_turn_end(Task task) {
  expect_on_loop();
  turn_end_.push_back(std::move(task));
}

void Reactor::run() {
  expect_on_loop();
  while (!stopped_) {
    arm_timer();
    wait();
    run_posted();
    end_turn();
  }
}

void Reactor::wait() {
  const int timeout = goes_to_sleep() ? -1 : 0;
  const int count = epoll_wait(epoll_, ready_.data(), static_cast<int>(ready_.size()), timeout);
  for (int i = 0; i < count; ++i) dispatch(ready_[static_cast<std::size_t>(i)]);
}

void Reactor::dispatch(const epoll_event& event) {
  // Whoever was called before in this turn may have ended or silenced this watch.
  const auto found = watches_.find(event.data.u64);
  if (found == watches_.end() || found->second.events == 0) return;
  with_last_catch(found->second.ready, event.events);
}

bool Reactor::goes_to_sleep() {
  const std::lock_guard lock(mutex_);
  asleep_ = turn_end_.empty() && posted_.empty();
  return asleep_;
}

/// Once a turn, however many timers came and went in it.
void Reactor::arm_timer() {
  const auto next = timers_.next();
  if (next == armed_for_) return;
  itimerspec when{};
  if (next) {
    // 0 would be no timer.
    const auto left = std::max((*next - BootClock::now()).count(), std::int64_t{1});
    when.it_value.tv_sec = left / 1'000'000'000;
    when.it_value.tv_nsec = left % 1'000'000'000;
  }
  timerfd_settime(timer_, 0, &when, nullptr);
  armed_for_ = next;
}

void Reactor::run_due() {
  clear(timer_);
  armed_for_.reset();
  const auto now = BootClock::now();  // once: a timer of 0 set by a task is for the next turn
  while (const auto task = timers_.take_due(now)) with_last_catch(task);
}

void Reactor::run_posted() {
  std::vector<Task> tasks;
  {
    const std::lock_guard lock(mutex_);
    asleep_ = false;
    tasks.swap(posted_);
  }
  for (const auto& task : tasks) with_last_catch(task);
}

void Reactor::end_turn() {
  ending_.swap(turn_end_);
  for (const auto& task : ending_) with_last_catch(task);
  ending_.clear();
  retired_.clear();
}

}  // namespace nexus
