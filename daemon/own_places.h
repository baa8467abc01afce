#pragma once

#include <string>
#include <vector>

#include "common/config.h"
#include "daemon/file_access.h"

namespace nexus {

/// All that a nexusd of these settings opens once it has started, and a nexusd that takes its
/// place. `directory`: what relative names are about. `socket_directory`: where its socket is to be
/// removed from in the end; "" where that is a service manager's.
std::vector<AllowedPlace> own_places(const Config& config, const std::string& directory,
                                     const std::string& socket_directory);

}  // namespace nexus
