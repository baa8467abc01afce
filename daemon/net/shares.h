#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace nexus {

/// So many places for things that are under way, which nobody may have all of: a name has at most
/// half of them, all names together leave an eighth to those without one. One thread.
class Shares {
  using Taken = std::map<std::string, std::size_t>;

 public:
  /// A place, for as long as it lives; the shares may go before it.
  class Place {
   public:
    Place(std::shared_ptr<Taken> taken, std::string name)
        : taken_(std::move(taken)), name_(std::move(name)) {
      ++(*taken_)[name_];
    }
    Place(Place&&) = default;
    Place& operator=(Place&& other) noexcept {
      std::swap(taken_, other.taken_);
      std::swap(name_, other.name_);
      return *this;
    }
    ~Place() {
      if (!taken_) return;
      const auto mine = taken_->find(name_);
      if (--mine->second == 0) taken_->erase(mine);
    }

   private:
    std::shared_ptr<Taken> taken_;
    std::string name_;
  };

  explicit Shares(std::size_t most) : most_(most) {}

  /// Nothing where there is none left for that name.
  std::optional<Place> take(const std::string& name) {
    std::size_t all = 0;
    std::size_t nameless = 0;
    for (const auto& [each, count] : *taken_) (each.empty() ? nameless : all) += count;
    all += nameless;
    const auto own = taken_->find(name);
    const auto mine = own == taken_->end() ? 0 : own->second;
    const bool is_full =
        all >= most_ ||
        (!name.empty() && (mine >= most_ / 2 || all - nameless >= most_ - most_ / 8));
    return is_full ? std::nullopt : std::optional<Place>(std::in_place, taken_, name);
  }

 private:
  std::size_t most_;
  std::shared_ptr<Taken> taken_ = std::make_shared<Taken>();
};

}  // namespace nexus
