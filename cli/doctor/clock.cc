// This machine's clock: tokens, signatures and certificates are dated.
#include "cli/doctor/clock.h"

#include <cstdlib>
#include <optional>

#include "cli/doctor/checks.h"
#include "cli/output/output.h"

namespace nexus::cli::doctor {
namespace {

constexpr UnixTime kNoticed = 30;
constexpr UnixTime kAllowed = 5 * 60;

}  // namespace

Finding judge_clock(const std::vector<api::ProviderReach>& reaches) {
  const api::ProviderReach* nearest = nullptr;
  for (const auto& each : reaches)
    if (each.clock_ahead_s &&
        (!nearest || std::abs(*each.clock_ahead_s) < std::abs(*nearest->clock_ahead_s)))
      nearest = &each;
  if (!nearest)
    return note("not checked: no provider told the time",
                reaches.empty() ? "register one: nexus connect PROVIDER"
                                : "see what becomes of providers below");
  const auto ahead = *nearest->clock_ahead_s;
  const auto off = std::abs(ahead);
  if (off <= kNoticed) return ok("it agrees with that of " + nearest->origin);
  const auto message = "it is " + duration_text(off) + (ahead > 0 ? " ahead of" : " behind") +
                       " that of " + nearest->origin;
  const std::string mend = "set the clock; to have it kept right, run: timedatectl set-ntp true";
  return off <= kAllowed ? warning(message, mend) : failure(message, mend);
}

Findings check_clock(const Scene& scene) {
  const auto& reaches = scene.reaches.get();
  return {reaches ? judge_clock(*reaches) : not_checked(scene, reaches.error())};
}

}  // namespace nexus::cli::doctor
