#pragma once

#include <atomic>

#include "common/clock.h"
#include "daemon/connect/flows.h"
#include "daemon/due.h"
#include "daemon/scheduler/alarm.h"
#include "daemon/worker_pool.h"

namespace nexus {

/// Has flows that nobody answered fail, and the callback listener closed when nobody is expected:
/// one sweep at a time.
class FlowExpiry {
 public:
  FlowExpiry(Flows& flows, Due& due, WorkerPool& workers, Clock clock)
      : flows_(flows), due_(due), workers_(workers), alarm_(std::move(clock)) {}

  /// Begins. The loop's thread.
  void start(Reactor& reactor);
  /// Begins no more sweeps.
  void stop() { stopped_ = true; }

 private:
  void sweep();

  Flows& flows_;
  Due& due_;
  WorkerPool& workers_;
  Alarm alarm_;
  std::atomic<bool> stopped_{false};
  std::atomic<bool> sweeping_{false};
  std::atomic<bool> again_{false};  ///< something became due during the sweep
};

}  // namespace nexus
