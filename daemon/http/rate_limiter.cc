#include "daemon/http/rate_limiter.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace nexus::http {
namespace {

constexpr std::size_t kMostBuckets = 100'000;
constexpr std::size_t kLongestName = 128;

/// Names are what callers send. Those that are cut to the same are counted as one.
std::string short_name(const std::string& name) {
  if (name.size() <= kLongestName) return name;
  return name.substr(0, kLongestName) + std::to_string(std::hash<std::string>()(name));
}

}  // namespace

int RateLimiter::wait_for(const std::string& name, Time now) {
  if (!limits()) return 0;
  const auto most = static_cast<double>(per_minute_);
  const auto each_second = most / 60;
  const std::lock_guard lock(mutex_);
  auto& bucket = bucket_of(short_name(name), now);
  const std::chrono::duration<double> passed = now - bucket.filled;
  bucket.left = std::min(most, bucket.left + passed.count() * each_second);
  bucket.filled = now;
  if (bucket.left < 1) return static_cast<int>(std::ceil((1 - bucket.left) / each_second));
  bucket.left -= 1;
  return 0;
}

RateLimiter::Bucket& RateLimiter::bucket_of(const std::string& name, Time now) {
  if (const auto known = buckets_.find(name); known != buckets_.end()) return known->second;
  if (buckets_.size() >= kMostBuckets) forget_full_ones(now);
  // Nobody's is emptied for them: fresh names would be the way around every limit.
  if (buckets_.size() >= kMostBuckets) return newcomers_;
  return buckets_.try_emplace(name, Bucket{static_cast<double>(per_minute_), now}).first->second;
}

/// Who has been quiet for a minute has a full bucket, which is what a new one has. All of them are
/// looked at, so not for each newcomer.
void RateLimiter::forget_full_ones(Time now) {
  if (now - forgotten_ < std::chrono::seconds(1)) return;
  forgotten_ = now;
  std::erase_if(buckets_, [&](const auto& entry) {
    return now - entry.second.filled >= std::chrono::minutes(1);
  });
}

}  // namespace nexus::http
