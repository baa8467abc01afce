#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <future>
#include <mutex>
#include <stdexcept>

namespace nexus::test {

/// Longer than anything here takes on the slowest machine: who waits for so long waits in vain.
inline constexpr std::chrono::seconds kPatience{20};

/// Where threads tell that something happened. A test waits for what it wants to see and looks
/// again after each event; it never waits for a time.
class Events {
 public:
  void happened() {
    {
      const std::lock_guard lock(mutex_);
      ++count_;
    }
    changed_.notify_all();
  }

  /// False when it has not come true within our patience.
  bool eventually(const std::function<bool()>& comes_true) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (true) {
      const auto seen = count();
      if (comes_true()) return true;
      std::unique_lock lock(mutex_);
      if (!changed_.wait_until(lock, deadline, [&] { return count_ != seen; })) return false;
    }
  }

 private:
  std::uint64_t count() {
    const std::lock_guard lock(mutex_);
    return count_;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t count_ = 0;
};

/// What a future brings; throws when it does not come.
template <class T>
T arrived(std::future<T> future) {
  if (future.wait_for(kPatience) != std::future_status::ready)
    throw std::runtime_error("what the test waits for did not come");
  return future.get();
}

}  // namespace nexus::test
