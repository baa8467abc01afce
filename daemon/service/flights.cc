#include "daemon/service/flights.h"

#include <algorithm>

namespace nexus {

bool Flights::join(const std::string& connection_id, Wish wish) {
  const std::lock_guard lock(mutex_);
  const auto [flight, first] = flights_.try_emplace(connection_id);
  if (first) flight->second.target = wish.target;
  flight->second.wishes.push_back(std::move(wish));
  return first;
}

bool Flights::is_flying(const std::string& connection_id) {
  const std::lock_guard lock(mutex_);
  return flights_.contains(connection_id);
}

TokenTarget Flights::target(const std::string& connection_id) {
  const std::lock_guard lock(mutex_);
  return flights_.at(connection_id).target;
}

bool Flights::any(const std::string& connection_id, const std::function<bool(const Wish&)>& like) {
  const std::lock_guard lock(mutex_);
  const auto& flight = flights_.at(connection_id);
  return std::any_of(flight.wishes.begin(), flight.wishes.end(),
                     [&](const Wish& wish) { return wish.target == flight.target && like(wish); });
}

std::vector<Flights::Wish> Flights::land(const std::string& connection_id, bool& onward) {
  const std::lock_guard lock(mutex_);
  const auto found = flights_.find(connection_id);
  auto& [target, wishes] = found->second;
  const auto others = std::stable_partition(
      wishes.begin(), wishes.end(), [&](const Wish& wish) { return wish.target == target; });
  std::vector<Wish> landed(std::make_move_iterator(wishes.begin()),
                           std::make_move_iterator(others));
  wishes.erase(wishes.begin(), others);
  onward = !wishes.empty();
  if (onward) {
    target = wishes.front().target;
  } else {
    flights_.erase(found);
  }
  return landed;
}

}  // namespace nexus
