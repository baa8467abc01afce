#pragma once

#include <functional>
#include <string>

#include "common/error.h"
#include "daemon/loop/reactor.h"
#include "daemon/sleep_check.h"
#include "daemon/suspend/watch.h"

namespace nexus {

/// Has the vault locked before the machine sleeps, or, where nobody says so before, once it has
/// slept. The loop's thread, but for `trouble`.
class LockOnSuspend {
 public:
  /// Has it locked, soon. Error: why it cannot be locked now.
  using Lock = std::function<Result<void>(const char* why)>;

  LockOnSuspend(Reactor& reactor, SleepCheck& sleep, Lock lock);

  void start();
  /// See SuspendWatch.
  std::string trouble() const { return watch_.trouble(); }
  Descriptor leave() { return watch_.leave(); }

 private:
  void lock_before_sleep();
  void lock_after_sleep();

  Reactor& reactor_;
  SleepCheck& sleep_;
  const Lock lock_;
  SuspendWatch watch_;
  TimerId next_trial_;
};

}  // namespace nexus
