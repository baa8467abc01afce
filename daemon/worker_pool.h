#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace nexus {

/// Runs what may wait (providers, key sets) away from the event loop. Threads are made when there
/// is work and leave after ten idle seconds, so an idle daemon has none.
class WorkerPool {
 public:
  explicit WorkerPool(std::size_t most) : most_(most) {}
  ~WorkerPool();  ///< finishes what was submitted, however long it takes
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  void submit(std::function<void()> work);
  /// Waits until all that was submitted is done; false when it was not within `patience`. The pool
  /// is at its end then: nothing may be submitted any more.
  bool drain(std::chrono::milliseconds patience);

 private:
  void run();

  const std::size_t most_;
  std::mutex mutex_;
  std::condition_variable work_or_end_;
  std::condition_variable one_less_;
  std::deque<std::function<void()>> queue_;
  std::size_t threads_ = 0;
  std::size_t idle_ = 0;
  bool stopping_ = false;
};

}  // namespace nexus
