#pragma once

#include <atomic>
#include <functional>

#include "common/clock.h"
#include "daemon/due.h"
#include "daemon/scheduler/alarm.h"
#include "daemon/worker_pool.h"

namespace nexus {

/// Has a sweep run on a worker whenever something of its kind is due: one at a time. The sweep
/// itself says when the next one is.
class Sweeper {
 public:
  Sweeper(Due::What what, std::function<void()> sweep, Due& due, WorkerPool& workers, Clock clock)
      : what_(what),
        sweep_(std::move(sweep)),
        due_(due),
        workers_(workers),
        alarm_(std::move(clock)) {}

  /// Begins. The loop's thread.
  void start(Reactor& reactor);
  /// Begins no more sweeps.
  void stop() { stopped_ = true; }

 private:
  void sweep();

  const Due::What what_;
  const std::function<void()> sweep_;
  Due& due_;
  WorkerPool& workers_;
  Alarm alarm_;
  std::atomic<bool> stopped_{false};
  std::atomic<bool> sweeping_{false};
  std::atomic<bool> again_{false};  ///< something became due during the sweep
};

}  // namespace nexus
