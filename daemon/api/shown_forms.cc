#include "daemon/api/shown_forms.h"

namespace nexus::api {
namespace {

/// A browser follows at once.
constexpr auto kPatience = std::chrono::seconds(30);

}  // namespace

void ShownForms::expect(const std::string& receipt, std::string_view state) {
  const auto now = std::chrono::steady_clock::now();
  const std::lock_guard lock(mutex_);
  forget_old(now);
  expected_.insert_or_assign(receipt, Expected{Secret(state), now + kPatience});
}

std::optional<std::string> ShownForms::take(const std::string& receipt) {
  const std::lock_guard lock(mutex_);
  forget_old(std::chrono::steady_clock::now());
  const auto found = expected_.find(receipt);
  if (found == expected_.end()) return std::nullopt;
  std::string state(found->second.state.expose());
  expected_.erase(found);
  return state;
}

void ShownForms::forget_old(Time now) {
  std::erase_if(expected_, [now](const auto& each) { return each.second.until < now; });
}

}  // namespace nexus::api
