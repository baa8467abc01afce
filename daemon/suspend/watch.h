#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <utility>

#include "common/descriptor.h"
#include "daemon/loop/reactor.h"

namespace nexus {

/// Has systemd-logind tell when the machine is about to sleep, by nexus-suspend, which also has the
/// machine wait (logind's inhibitor lock). Where nobody tells it goes on trying. The loop's thread,
/// but for `trouble`.
class SuspendWatch {
 public:
  struct Told {
    std::function<void()> about_to_sleep;  ///< the machine waits, for some seconds
    std::function<void()> may_have_slept;  ///< whether it was told before or not
  };

  SuspendWatch(Reactor& reactor, Told told) : reactor_(reactor), told_(std::move(told)) {}

  void start();
  /// The machine waits no longer.
  void let_sleep();
  /// What the machine waits for to be closed, by its end as well. Once the loop has ended.
  Descriptor leave();
  /// Why nobody tells, "" where somebody does. Any thread.
  std::string trouble() const;

 private:
  void take_message();
  void fail(const std::string& reason);
  void settle(const std::string& trouble);

  Reactor& reactor_;
  const Told told_;
  Descriptor socket_{-1};
  WatchId watch_ = 0;
  std::string said_;  ///< of why it ends
  std::chrono::seconds pause_{};
  mutable std::mutex mutex_;
  std::string trouble_ = "systemd-logind has not answered yet";
};

}  // namespace nexus
