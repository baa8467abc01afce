#include "daemon/scheduler/refresh_scheduler.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

#include "daemon/log.h"

namespace nexus {
namespace {

constexpr int kMostUnderWay = 32;
/// A store that cannot be read or written is tried again after so many seconds.
constexpr UnixTime kAfterTrouble = 5;

}  // namespace

RefreshScheduler::~RefreshScheduler() {
  if (timer_ >= 0) close(timer_);
}

Result<void> RefreshScheduler::start(http::EventLoop& loop) {
  timer_ = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
  if (timer_ < 0) return Error{ErrorCode::failure, "there is no timer for refreshes", ""};
  loop.watch(timer_, [this] {
    std::uint64_t times = 0;
    [[maybe_unused]] const auto got = read(timer_, &times, sizeof times);
    {
      const std::lock_guard lock(mutex_);
      armed_for_ = 0;
    }
    wake();
  });
  // Asked here rather than by a worker: an idle daemon starts without any thread beside its own.
  NEXUS_TRY(const auto first, store_.next_refresh_after(0));
  if (first) arm(*first);
  return {};
}

void RefreshScheduler::wake() {
  if (stopped_) return;
  {
    const std::lock_guard lock(mutex_);
    if (running_) {
      again_ = true;
      return;
    }
    running_ = true;
  }
  workers_.submit([this] { run(); });
}

void RefreshScheduler::run() {
  const auto now = clock_();
  auto next = store_.next_refresh_after(now);
  const bool paused = now < paused_until_;
  const auto due = store_.due_refreshes(now, kMostUnderWay + under_way_);
  if (!due || !next) {
    log(LogLevel::error, "refreshes_not_found",
        {{"error", due ? next.error().message : due.error().message}});
    arm(now + kAfterTrouble);
  } else {
    for (const auto& id : *due) {
      if (under_way_ >= kMostUnderWay || stopped_ || paused) break;
      if (refresher_.is_flying(id)) continue;
      ++under_way_;
      refresher_.join(id, {.background = true,
                           .landed = [this](const Result<void>& outcome) { landed(outcome); }});
    }
    if (*next) arm(**next);
    if (paused) arm(paused_until_);
  }
  const std::lock_guard lock(mutex_);
  running_ = false;
  if (!again_ || stopped_) return;
  again_ = false;
  running_ = true;
  workers_.submit([this] { run(); });
}

void RefreshScheduler::landed(const Result<void>& outcome) {
  --under_way_;
  // What could not be written is still due, and would be tried without end.
  if (!outcome && (outcome.error().code == ErrorCode::internal_error ||
                   outcome.error().code == ErrorCode::audit_unavailable))
    paused_until_ = clock_() + kAfterTrouble;
  wake();
}

void RefreshScheduler::expect(UnixTime at) {
  arm(at);
}

void RefreshScheduler::arm(UnixTime at) {
  const std::lock_guard lock(mutex_);
  if (timer_ < 0 || (armed_for_ != 0 && armed_for_ <= at)) return;
  armed_for_ = at;
  itimerspec when{};
  when.it_value.tv_sec = std::max<UnixTime>(at - clock_(), 0);
  when.it_value.tv_nsec = 1'000'000;  // a timer of 0 is none
  timerfd_settime(timer_, 0, &when, nullptr);
}

}  // namespace nexus
