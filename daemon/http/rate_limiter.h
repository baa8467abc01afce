#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

namespace nexus::http {

/// Token buckets by name: `per_minute` at once, then one more each 60/per_minute seconds. 0 means
/// no limit. However many names there are, its memory is bounded: newcomers beyond that share one
/// bucket. Thread-safe.
class RateLimiter {
 public:
  using Time = std::chrono::steady_clock::time_point;
  explicit RateLimiter(std::int64_t per_minute) : per_minute_(per_minute) {}

  bool limits() const { return per_minute_ > 0; }
  /// 0 when this one may pass, else after how many seconds the next one may.
  int wait_for(const std::string& name, Time now = std::chrono::steady_clock::now());

 private:
  struct Bucket {
    double left = 0;
    Time filled;
  };
  Bucket& bucket_of(const std::string& name, Time now);
  void forget_full_ones(Time now);

  const std::int64_t per_minute_;
  std::mutex mutex_;
  std::unordered_map<std::string, Bucket> buckets_;
  Bucket newcomers_;  ///< while there are too many names
  Time forgotten_;    ///< when those that are full again were last looked for
};

}  // namespace nexus::http
