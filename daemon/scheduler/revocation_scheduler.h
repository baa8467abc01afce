#pragma once

#include <atomic>

#include "common/clock.h"
#include "daemon/scheduler/alarm.h"
#include "daemon/store/store.h"
#include "daemon/token/revocations.h"
#include "daemon/worker_pool.h"

namespace nexus {

/// Has providers asked again to forget tokens, one at a time: nobody waits for it.
class RevocationScheduler : public DueTimer {
 public:
  RevocationScheduler(Store& store, Revocations& revocations, WorkerPool& workers, Clock clock)
      : store_(store), revocations_(revocations), workers_(workers), clock_(clock), alarm_(clock) {}

  /// Begins, with what an earlier daemon left. Error: failure without a timer.
  Result<void> start(http::EventLoop& loop);
  /// Begins no more of them.
  void stop() { stopped_ = true; }

  void expect(UnixTime at) override { alarm_.expect(at); }

 private:
  void run();

  Store& store_;
  Revocations& revocations_;
  WorkerPool& workers_;
  Clock clock_;
  Alarm alarm_;
  std::atomic<bool> stopped_{false};
  std::atomic<bool> running_{false};
};

}  // namespace nexus
