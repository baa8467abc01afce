#pragma once

#include <string>
#include <vector>

#include "cli/completion/expected.h"
#include "common/api/connection.h"
#include "common/config.h"

namespace nexus::cli {

/// The names of that kind that there are now. The daemon of this machine is asked once, and not
/// waited for: none where it does not run or has not answered within a moment. One elsewhere
/// (NEXUS_URL) is not asked at all: a key that is pressed sends nothing over a network.
std::vector<Candidate> names_there_are(Names names, const Config& config);

/// What to call each connection: by its alias, by its provider's name where it is the only one of
/// that, else by its id.
std::vector<Candidate> names_of(const std::vector<api::Connection>& connections);

}  // namespace nexus::cli
