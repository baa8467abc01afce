#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>

namespace nexus {

/// So many places for things that are under way, which nobody may have all of: a name has at most
/// half of them, all names together leave an eighth to those without one. One thread.
class Shares {
  using Taken = std::map<std::string, std::size_t>;
  struct GiveBack {
    Taken* taken;
    void operator()(Taken::value_type* mine) const {
      if (--mine->second == 0) taken->erase(taken->find(mine->first));
    }
  };

 public:
  /// Given back when it goes, which has to be before the shares do.
  using Place = std::unique_ptr<Taken::value_type, GiveBack>;

  explicit Shares(std::size_t most) : most_(most) {}

  /// Null where there is none left for that name.
  Place take(const std::string& name) {
    const auto nameless = count_of("");
    std::size_t all = 0;
    for (const auto& [each, count] : taken_) all += count;
    const bool is_name_full =
        !name.empty() && (count_of(name) >= most_ / 2 || all - nameless >= most_ - most_ / 8);
    if (all >= most_ || is_name_full) return {nullptr, {&taken_}};
    auto& mine = *taken_.try_emplace(name).first;
    ++mine.second;
    return {&mine, {&taken_}};
  }

 private:
  std::size_t count_of(const std::string& name) const {
    const auto found = taken_.find(name);
    return found == taken_.end() ? 0 : found->second;
  }

  std::size_t most_;
  Taken taken_;
};

}  // namespace nexus
