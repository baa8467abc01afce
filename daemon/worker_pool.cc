#include "daemon/worker_pool.h"

#include <system_error>

#include "daemon/last_catch.h"
#include "daemon/log.h"

namespace nexus {

WorkerPool::~WorkerPool() {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  work_or_end_.notify_all();
  one_less_.wait(lock, [&] { return threads_ == 0; });
}

bool WorkerPool::drain(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  work_or_end_.notify_all();
  return one_less_.wait_for(lock, patience, [&] { return threads_ == 0; });
}

void WorkerPool::submit(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  queue_.push_back(std::move(work));
  if (idle_ >= queue_.size() || threads_ >= most_) {
    work_or_end_.notify_one();
    return;
  }
  try {
    std::thread([this] { run(); }).detach();
    ++threads_;  // it waits for the lock
  } catch (const std::system_error& none) {
    // The work stays where it is: a thread that there is takes it, or the next one that can be
    // made.
    log(LogLevel::error, "no_thread", {{"error", none.what()}});
  }
}

void WorkerPool::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    work_or_end_.wait_for(lock, std::chrono::seconds(10),
                          [&] { return !queue_.empty() || stopping_; });
    --idle_;
    if (queue_.empty()) break;
    auto work = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    with_last_catch(work);
    work = nullptr;  // what it holds goes before the lock is taken again
    lock.lock();
  }
  --threads_;
  one_less_.notify_all();
}

}  // namespace nexus
