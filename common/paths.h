#pragma once

#include <sys/stat.h>

#include <string>

#include "common/error.h"

namespace nexus {

/// The value of an environment variable, "" when it is unset.
std::string environment(const char* name);

/// Where things live unless flags, environment or nexus.toml say otherwise (XDG base directories).
/// "" for what is below HOME, when that is not set or not an absolute path.
std::string default_config_file();  ///< $XDG_CONFIG_HOME/nexus/nexus.toml
/// $XDG_DATA_HOME/nexusd: not "nexus", where an installation under ~/.local keeps files for all to
/// read.
std::string default_data_dir();
/// $XDG_RUNTIME_DIR or, where that is not set or another user's (su leaves the variable as it was),
/// /run/user/UID; "" where neither is this user's.
std::string own_runtime_dir();
/// $XDG_STATE_HOME/nexusd, for what is told of the data directory and must not be restored with it.
std::string default_state_dir();
/// What is wrong with HOME where it names no place: "HOME is not set".
std::string fault_of_home();
/// What a client tries first: nexusd.sock in $XDG_RUNTIME_DIR/nexus or, where that is not set
/// (cron, su), in that of /run/user/UID; without a runtime directory it lies in the data directory.
/// XDG_RUNTIME_DIR is taken at its word, so that `nexus token` need not look.
std::string default_socket(const std::string& data_dir);
/// Where a daemon listens: the same, but for a runtime directory that belongs to somebody else.
std::string own_default_socket(const std::string& data_dir);

/// That it belongs to this user and nobody else may write it.
bool is_own(const struct stat& file);

}  // namespace nexus
