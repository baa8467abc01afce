#include "daemon/refusals.h"

#include <unistd.h>

#include "daemon/log.h"

namespace nexus {
namespace {

constexpr UnixTime kPeriod = 60;

bool is_known(const Caller& caller) {
  return caller.via == Caller::Via::daemon || !caller.key.empty() ||
         caller.uid == static_cast<std::int64_t>(geteuid());
}

}  // namespace

std::optional<std::string> Refusals::note(AuditEvent event, const Caller& caller,
                                          std::string_view detail) {
  if (!is_known(caller)) {
    const std::lock_guard lock(mutex_);
    const auto [found, is_first] = tallies_.try_emplace(event);
    auto& tally = found->second;
    if (!is_first) {
      if (tally.count++ == 0) {
        tally.first = caller;
        tally.detail = detail;
      }
      return std::nullopt;
    }
    tally.until = clock_() + kPeriod;
    due_.expect(Due::What::refusals, tally.until);
  }
  return audit_.record({.event = event, .outcome = AuditOutcome::refused, .detail = detail},
                       caller);
}

void Refusals::tell_until(UnixTime until) {
  const auto counted = take(until);
  if (counted.empty()) return;
  std::vector<std::string> records;
  for (const auto& [event, tally] : counted) records.push_back(record(event, tally));
  const auto committed = audit_.commit(records);
  if (committed) return;
  log(LogLevel::error, "audit_failed", {{"error", committed.error().message}});
  give_back(counted);
}

/// A period without any ends the tally: the next one is a first one again.
Refusals::Counted Refusals::take(UnixTime until) {
  Counted counted;
  const auto next = clock_() + kPeriod;
  const std::lock_guard lock(mutex_);
  std::erase_if(tallies_, [&](const auto& entry) {
    return entry.second.until <= until && entry.second.count == 0;
  });
  for (auto& [event, tally] : tallies_) {
    if (tally.until <= until)
      counted.emplace_back(event, std::exchange(tally, Tally{.until = next}));
    due_.expect(Due::What::refusals, tally.until);
  }
  return counted;
}

std::string Refusals::record(AuditEvent event, const Tally& tally) const {
  const auto times = std::to_string(tally.count) + " within a minute";
  return audit_.record(
      {.event = event,
       .outcome = AuditOutcome::refused,
       .detail = tally.detail.empty() ? times : times + ", the first: " + tally.detail,
       .count = tally.count},
      tally.first);
}

/// What could not be put on record is told with the next ones.
void Refusals::give_back(const Counted& counted) {
  const std::lock_guard lock(mutex_);
  for (const auto& [event, tally] : counted) {
    auto& now = tallies_[event];
    now.count += tally.count;
    now.first = tally.first;
    now.detail = tally.detail;
  }
}

}  // namespace nexus
