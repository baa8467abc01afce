#pragma once

#include <atomic>
#include <mutex>

#include "common/clock.h"
#include "daemon/http/event_loop.h"
#include "daemon/service/refresh_timer.h"
#include "daemon/service/refresher.h"
#include "daemon/service/worker_pool.h"
#include "daemon/store/store.h"

namespace nexus {

/// Has tokens refreshed before they expire. It asks the store's index for what is due and for when
/// the next one is, and sleeps until then; the time asleep counts (CLOCK_BOOTTIME), so a machine
/// that was suspended catches up as it wakes. At most so many refreshes are under way that a fetch
/// never waits behind them.
class RefreshScheduler : public RefreshTimer {
 public:
  RefreshScheduler(Store& store, Refresher& refresher, WorkerPool& workers, Clock clock)
      : store_(store), refresher_(refresher), workers_(workers), clock_(std::move(clock)) {}
  ~RefreshScheduler() override;

  /// Begins; the loop tells when the timer has run down. Error: failure without a timer.
  Result<void> start(http::EventLoop& loop);
  /// Begins no more refreshes.
  void stop() { stopped_ = true; }

  void expect(UnixTime at) override;

 private:
  void wake();
  void run();
  void landed(const Result<void>& outcome);
  void arm(UnixTime at);

  Store& store_;
  Refresher& refresher_;
  WorkerPool& workers_;
  Clock clock_;
  int timer_ = -1;
  std::atomic<bool> stopped_{false};
  std::atomic<int> under_way_{0};
  std::atomic<UnixTime> paused_until_{0};  ///< after the store could not be written
  std::mutex mutex_;
  UnixTime armed_for_ = 0;  ///< 0: not armed
  bool running_ = false;    ///< a run is under way or submitted
  bool again_ = false;      ///< and another one is wanted after it
};

}  // namespace nexus
