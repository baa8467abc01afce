#include "daemon/custody/trust.h"

#include <utility>

namespace nexus {

void Trust::on_acceptance(std::function<void()> act) {
  const std::lock_guard lock(mutex_);
  act_ = std::move(act);
}

Result<void> Trust::accept() {
  std::function<void()> act;
  {
    const std::lock_guard lock(mutex_);
    if (suspicion_.empty())
      return Error{ErrorCode::invalid_state, "nothing is wrong with the vault",
                   "there is nothing to accept"};
    NEXUS_CHECK(store_.accept_tally());
    suspicion_.clear();
    act = std::exchange(act_, nullptr);
  }
  if (act) act();
  return {};
}

}  // namespace nexus
