#pragma once

#include <atomic>
#include <memory>

#include "common/clock.h"

namespace nexus::test {

/// A clock that stands still until a test turns it: the one that nexusd lives by, which never goes
/// back, and the wall clock that it shares with others.
class TestClock {
 public:
  UnixTime now() const { return *time_; }
  void advance(UnixTime seconds) { *time_ += seconds; }
  void set_back(UnixTime seconds) { *time_ -= seconds; }
  /// For the parts that want to know the time.
  Clock hand_out() const {
    return [time = time_] { return time->load(); };
  }
  /// The wall clock was ahead by so much, and is corrected.
  void correct_wall(UnixTime seconds) { *ahead_ += seconds; }
  Clock wall() const {
    return [time = time_, ahead = ahead_] { return *time - *ahead; };
  }

 private:
  using Time = std::shared_ptr<std::atomic<UnixTime>>;
  Time time_ = std::make_shared<std::atomic<UnixTime>>(1'800'000'000);
  Time ahead_ = std::make_shared<std::atomic<UnixTime>>(0);
};

}  // namespace nexus::test
