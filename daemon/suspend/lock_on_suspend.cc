#include "daemon/suspend/lock_on_suspend.h"

#include "daemon/log.h"

namespace nexus {
namespace {

using namespace std::chrono_literals;

void tell_not_locked(const Error& why) {
  log(LogLevel::error, "not_locked", {{"error", why.message}, {"hint", why.hint}});
}

}  // namespace

LockOnSuspend::LockOnSuspend(Reactor& reactor, SleepCheck& sleep, Lock lock)
    : reactor_(reactor),
      sleep_(sleep),
      lock_(std::move(lock)),
      watch_(reactor, {.about_to_sleep = [this] { lock_before_sleep(); },
                       .may_have_slept = [this] { sleep_.has_slept(); }}) {}

void LockOnSuspend::start() {
  sleep_.begin([this] { reactor_.post([this] { lock_after_sleep(); }); });
  watch_.start();
}

/// What keeps it from that may be over after the sleep, which is noticed then.
void LockOnSuspend::lock_before_sleep() {
  const auto locked = lock_("the machine is about to sleep");
  if (locked) return;
  tell_not_locked(locked.error());
  watch_.let_sleep();
}

void LockOnSuspend::lock_after_sleep() {
  reactor_.cancel(next_trial_);
  const auto locked = lock_("the machine has slept");
  if (locked) return;
  tell_not_locked(locked.error());
  // Meanwhile it serves, as a vault that cannot be locked for being idle does.
  sleep_.begin_again();
  next_trial_ = reactor_.after(1min, [this] { lock_after_sleep(); });
}

}  // namespace nexus
