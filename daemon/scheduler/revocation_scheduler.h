#pragma once

#include <atomic>

#include "common/clock.h"
#include "daemon/due.h"
#include "daemon/scheduler/alarm.h"
#include "daemon/store/store.h"
#include "daemon/token/revocations.h"
#include "daemon/worker_pool.h"

namespace nexus {

/// Has providers asked again to forget tokens, one at a time: nobody waits for it.
class RevocationScheduler {
 public:
  RevocationScheduler(Store& store, Revocations& revocations, Due& due, WorkerPool& workers,
                      Clock clock)
      : store_(store),
        revocations_(revocations),
        due_(due),
        workers_(workers),
        clock_(clock),
        alarm_(std::move(clock)) {}

  /// Begins, with what an earlier daemon left. The loop's thread. Errors: the store's.
  Result<void> start(Reactor& reactor);
  /// Begins no more of them.
  void stop() { stopped_ = true; }

 private:
  void run();

  Store& store_;
  Revocations& revocations_;
  Due& due_;
  WorkerPool& workers_;
  Clock clock_;
  Alarm alarm_;
  std::atomic<bool> stopped_{false};
  std::atomic<bool> running_{false};
};

}  // namespace nexus
