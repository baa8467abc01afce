#include "daemon/token/single_flight.h"

#include <algorithm>

namespace nexus {

bool SingleFlight::join(const std::string& connection_id, Waiter waiter) {
  const std::lock_guard lock(mutex_);
  const auto [flight, first] = flights_.try_emplace(connection_id);
  if (first) flight->second.target = waiter.target;
  flight->second.waiters.push_back(std::move(waiter));
  return first;
}

bool SingleFlight::is_under_way(const std::string& connection_id) {
  const std::lock_guard lock(mutex_);
  return flights_.contains(connection_id);
}

TokenTarget SingleFlight::target(const std::string& connection_id) {
  const std::lock_guard lock(mutex_);
  return flights_.at(connection_id).target;
}

bool SingleFlight::any(const std::string& connection_id,
                       const std::function<bool(const Waiter&)>& like) {
  const std::lock_guard lock(mutex_);
  const auto& flight = flights_.at(connection_id);
  return std::any_of(flight.waiters.begin(), flight.waiters.end(), [&](const Waiter& waiter) {
    return waiter.target == flight.target && like(waiter);
  });
}

std::vector<SingleFlight::Waiter> SingleFlight::finish(const std::string& connection_id,
                                                       bool& onward) {
  const std::lock_guard lock(mutex_);
  const auto found = flights_.find(connection_id);
  auto& [target, waiters] = found->second;
  const auto others =
      std::stable_partition(waiters.begin(), waiters.end(),
                            [&](const Waiter& waiter) { return waiter.target == target; });
  std::vector<Waiter> finished(std::make_move_iterator(waiters.begin()),
                               std::make_move_iterator(others));
  waiters.erase(waiters.begin(), others);
  onward = !waiters.empty();
  if (onward) {
    target = waiters.front().target;
  } else {
    flights_.erase(found);
  }
  return finished;
}

}  // namespace nexus
