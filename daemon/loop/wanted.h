#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <utility>

namespace nexus {

/// Whether somebody still waits for something: who waits says when no more, and who works at it
/// learns of that. Thread-safe.
class Wanted {
 public:
  bool is_over() const {
    const std::lock_guard lock(mutex_);
    return over_;
  }
  /// Once; a second time it does nothing.
  void end() {
    std::function<void()> told;
    {
      const std::lock_guard lock(mutex_);
      if (over_) return;
      over_ = true;
      told = std::move(told_);
    }
    if (told) told();
  }
  /// Is called on the thread that ends it, or at once where it is over; in place of what was to be.
  void on_end(std::function<void()> told) {
    {
      const std::lock_guard lock(mutex_);
      if (!over_) {
        told_ = std::move(told);
        return;
      }
    }
    if (told) told();
  }

 private:
  mutable std::mutex mutex_;
  bool over_ = false;
  std::function<void()> told_;
};

}  // namespace nexus
