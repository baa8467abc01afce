#pragma once

#include <atomic>
#include <mutex>

#include "common/clock.h"
#include "daemon/due.h"
#include "daemon/scheduler/alarm.h"
#include "daemon/store/store.h"
#include "daemon/token/refresher.h"
#include "daemon/worker_pool.h"

namespace nexus {

/// Has tokens refreshed before they expire. It asks the store's index for what is due and for when
/// the next one is, and sleeps until then. At most so many refreshes are under way that a fetch
/// never waits behind them.
class RefreshScheduler {
 public:
  RefreshScheduler(Store& store, Refresher& refresher, Due& due, WorkerPool& workers, Clock clock)
      : store_(store),
        refresher_(refresher),
        due_(due),
        workers_(workers),
        clock_(clock),
        alarm_(std::move(clock)) {}

  /// Begins, with what is due already. The loop's thread. Errors: the store's.
  Result<void> start(Reactor& reactor);
  /// Begins no more refreshes.
  void stop() { stopped_ = true; }

 private:
  void wake();
  void run();
  void landed(const Result<void>& outcome);

  Store& store_;
  Refresher& refresher_;
  Due& due_;
  WorkerPool& workers_;
  Clock clock_;
  Alarm alarm_;
  std::atomic<bool> stopped_{false};
  std::atomic<int> under_way_{0};
  std::atomic<UnixTime> paused_until_{0};  ///< after the store could not be written
  std::mutex mutex_;
  bool running_ = false;  ///< a run is under way or submitted
  bool again_ = false;    ///< and another one is wanted after it
};

}  // namespace nexus
