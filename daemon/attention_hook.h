#pragma once

#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "common/clock.h"
#include "daemon/store/store.h"
#include "daemon/worker_pool.h"

namespace nexus {

/// Runs a program of the person's choice when a connection needs them: an argument vector, no
/// shell, with what happened as JSON on its standard input. It inherits no descriptor and none of
/// the daemon's environment but what a desktop notification needs. At most six runs a minute; what
/// was left out is counted in the next one. Thread-safe.
class AttentionHook {
 public:
  AttentionHook(std::vector<std::string> command, WorkerPool& workers, Clock clock)
      : command_(std::move(command)), workers_(workers), clock_(std::move(clock)) {}

  void tell(const ConnectionRow& connection, const std::string& cause);

 private:
  const std::vector<std::string> command_;
  WorkerPool& workers_;
  Clock clock_;
  std::mutex mutex_;
  std::deque<UnixTime> runs_;
  int left_out_ = 0;
};

}  // namespace nexus
