#include "daemon/http/rate_limiter.h"

#include <algorithm>
#include <cmath>

namespace nexus::http {
namespace {

constexpr std::size_t kMostBuckets = 100'000;

}  // namespace

int RateLimiter::wait_for(const std::string& name, Time now) {
  if (!limits()) return 0;
  const auto most = static_cast<double>(per_minute_);
  const auto each_second = most / 60;
  const std::lock_guard lock(mutex_);
  if (buckets_.size() >= kMostBuckets) forget_full_ones(now);
  const auto [found, is_new] = buckets_.try_emplace(name, Bucket{most, now});
  auto& bucket = found->second;
  const std::chrono::duration<double> passed = now - bucket.filled;
  bucket.left = std::min(most, bucket.left + passed.count() * each_second);
  bucket.filled = now;
  if (bucket.left < 1) return static_cast<int>(std::ceil((1 - bucket.left) / each_second));
  bucket.left -= 1;
  return 0;
}

/// Who has been quiet for a minute has a full bucket, which is what a new one has.
void RateLimiter::forget_full_ones(Time now) {
  std::erase_if(buckets_, [&](const auto& entry) {
    return now - entry.second.filled >= std::chrono::minutes(1);
  });
  if (buckets_.size() >= kMostBuckets) buckets_.clear();
}

}  // namespace nexus::http
