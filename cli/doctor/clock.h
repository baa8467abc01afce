#pragma once

#include <vector>

#include "cli/doctor/finding.h"
#include "common/api/provider_reach.h"

namespace nexus::cli::doctor {

/// What the servers' clocks say about ours. The one that is nearest counts: one server's clock may
/// be wrong as well.
Finding judge_clock(const std::vector<api::ProviderReach>& reaches);

}  // namespace nexus::cli::doctor
