#include "daemon/scheduler/refresh_scheduler.h"

#include "daemon/log.h"

namespace nexus {
namespace {

constexpr int kMostUnderWay = 32;
/// A store that cannot be read or written is tried again after so many seconds.
constexpr UnixTime kAfterTrouble = 5;

}  // namespace

Result<void> RefreshScheduler::start(Reactor& reactor) {
  alarm_.start(reactor, [this] {
    due_.reached(Due::What::refresh);
    wake();
  });
  due_.listen(Due::What::refresh, [this](UnixTime at) { alarm_.expect(at); });
  // Asked here rather than by a worker: an idle daemon starts without any thread beside its own.
  NEXUS_TRY(const auto first, store_.next_refresh_after(0));
  if (first) due_.expect(Due::What::refresh, *first);
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
    due_.expect(Due::What::refresh, now + kAfterTrouble);
  } else {
    for (const auto& id : *due) {
      if (under_way_ >= kMostUnderWay || stopped_ || paused) break;
      if (refresher_.is_under_way(id)) continue;
      ++under_way_;
      refresher_.join(id, {.background = true,
                           .done = [this](const Result<void>& outcome) { landed(outcome); }});
    }
    if (*next) due_.expect(Due::What::refresh, **next);
    if (paused) due_.expect(Due::What::refresh, paused_until_);
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

}  // namespace nexus
