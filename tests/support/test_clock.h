#pragma once

#include <atomic>
#include <memory>

#include "common/clock.h"

namespace nexus::test {

/// A clock that stands still until a test turns it.
class TestClock {
 public:
  UnixTime now() const { return *time_; }
  void advance(UnixTime seconds) { *time_ += seconds; }
  void set_back(UnixTime seconds) { *time_ -= seconds; }
  /// For the parts that want to know the time.
  Clock hand_out() const {
    return [time = time_] { return time->load(); };
  }

 private:
  std::shared_ptr<std::atomic<UnixTime>> time_ =
      std::make_shared<std::atomic<UnixTime>>(1'800'000'000);
};

}  // namespace nexus::test
