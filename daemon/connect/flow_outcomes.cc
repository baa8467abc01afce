#include "daemon/connect/flow_outcomes.h"

#include "common/secret.h"
#include "daemon/crypto/encoding.h"

namespace nexus {
namespace {

constexpr UnixTime kKept = 600;

}  // namespace

std::string FlowOutcomes::receipt(const std::string& url, const Query& query) {
  SecretText text("outcome\n");  // a code is in it
  text.append(url);
  for (const auto& [name, value] : query)
    for (const auto* part : {&name, &value})
      text.append("\n").append(std::to_string(part->size())).append(" ").append(*part);
  return base64url(sha256(text));
}

bool FlowOutcomes::begin(const std::string& receipt) {
  const auto now = clock_();
  const std::lock_guard lock(mutex_);
  const auto kept = kept_.find(receipt);
  const bool ended = kept != kept_.end() && kept->second.until > now;
  return !ended && under_way_.insert(receipt).second;
}

bool FlowOutcomes::is_under_way(const std::string& receipt) {
  const std::lock_guard lock(mutex_);
  return under_way_.contains(receipt);
}

void FlowOutcomes::end(const std::string& receipt, Result<FlowOutcome>& outcome) {
  const auto now = clock_();
  const std::lock_guard lock(mutex_);
  under_way_.erase(receipt);
  std::erase_if(kept_, [now](const auto& entry) { return entry.second.until <= now; });
  if (!outcome) return;
  outcome->receipt = receipt;
  kept_.insert_or_assign(receipt, Kept{*outcome, now + kKept});
}

std::optional<FlowOutcome> FlowOutcomes::find(const std::string& receipt) {
  const std::lock_guard lock(mutex_);
  const auto found = kept_.find(receipt);
  if (found == kept_.end() || found->second.until <= clock_()) return std::nullopt;
  return found->second.outcome;
}

}  // namespace nexus
