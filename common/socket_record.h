#pragma once

#include <optional>
#include <string>

#include "common/error.h"

namespace nexus {

/// Where the daemon of a data directory listens, as it wrote down there beside its lock. The place
/// of the socket comes from the environment of whoever started the daemon; cron, su and ssh bring
/// another one, and find it by this.
///
/// Nothing where there is no record, or where another user may have written it: file and directory
/// have to be this user's own. A record outlives a daemon that was killed.
std::optional<std::string> recorded_socket(const std::string& data_dir);

/// Writes it, whole or not at all. Error: failure.
Result<void> record_socket(const std::string& data_dir, const std::string& socket);

void forget_socket(const std::string& data_dir);

}  // namespace nexus
