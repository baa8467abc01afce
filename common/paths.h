#pragma once

#include <string>

#include "common/error.h"

namespace nexus {

/// The value of an environment variable, "" when it is unset.
std::string environment(const char* name);

/// Where things live unless flags, environment or nexus.toml say otherwise (XDG base directories).
std::string default_config_file();  ///< $XDG_CONFIG_HOME/nexus/nexus.toml
/// $XDG_DATA_HOME/nexusd: not "nexus", where an installation under ~/.local keeps files for all to
/// read.
std::string default_data_dir();
/// $XDG_RUNTIME_DIR/nexus/nexusd.sock; without a runtime directory it lies in the data directory.
std::string default_socket(const std::string& data_dir);

}  // namespace nexus
