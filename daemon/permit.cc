#include "daemon/permit.h"

#include <string>
#include <utility>

#include "daemon/log.h"

namespace nexus {

std::string forwards_ended(std::size_t count) {
  if (count == 0) return {};
  return "; " + std::to_string(count) +
         (count == 1 ? " request that was sent on ended" : " requests that were sent on ended");
}

std::shared_ptr<Lease> Lease::under(std::vector<std::shared_ptr<Permit>> permits) {
  std::shared_ptr<Lease> lease(new Lease(std::move(permits)));
  for (const auto& permit : lease->permits_) permit->add(lease);
  return lease;
}

Lease::~Lease() {
  for (const auto& permit : permits_) permit->remove(this);
}

void Lease::on_end(Told told) {
  std::optional<Error> why;
  {
    const std::lock_guard lock(mutex_);
    why = why_;
    if (!why) {
      told_.swap(told);
      return;
    }
  }
  if (told) told(*why);
}

std::optional<Error> Lease::why() const {
  const std::lock_guard lock(mutex_);
  return why_;
}

bool Lease::end(const Error& why) {
  Told told;
  {
    const std::lock_guard lock(mutex_);
    if (why_) return false;
    why_ = why;
    told = std::move(told_);
  }
  if (told) told(why);
  return true;
}

std::size_t Permit::withdraw(const Error& why) {
  std::vector<std::shared_ptr<Lease>> going_on;
  {
    const std::lock_guard lock(mutex_);
    if (withdrawn_) return 0;
    withdrawn_ = why;
    for (const auto& [address, lease] : leases_)
      if (auto alive = lease.lock()) going_on.push_back(std::move(alive));
    leases_.clear();
  }
  std::size_t count = 0;
  for (const auto& lease : going_on) count += lease->end(why) ? 1 : 0;
  if (count > 0)
    log(LogLevel::info, "forwards_ended", {{"count", std::to_string(count)}, {"why", why.message}});
  return count;
}

void Permit::add(const std::shared_ptr<Lease>& lease) {
  std::optional<Error> withdrawn;
  {
    const std::lock_guard lock(mutex_);
    withdrawn = withdrawn_;
    if (!withdrawn) leases_.emplace(lease.get(), lease);
  }
  if (withdrawn) lease->end(*withdrawn);
}

void Permit::remove(const Lease* lease) {
  const std::lock_guard lock(mutex_);
  leases_.erase(lease);
}

}  // namespace nexus
