#pragma once

#include <string>

#include "common/error.h"

namespace nexus {

/// What nexus.toml, the environment and the flags settle for both programs.
/// Precedence: flag, environment, nexus.toml, default.
struct Config {
  std::string file;                ///< the nexus.toml that was looked for
  std::string workspace;           ///< `workspace`, NEXUS_WORKSPACE: "default"
  std::string data_dir;            ///< `daemon.data_dir`, NEXUS_DATA_DIR
  std::string socket;              ///< `daemon.socket`, NEXUS_SOCKET
  std::string log_level = "info";  ///< `daemon.log_level`: error, warn, info, debug
  /// `callback.base_url`: scheme, loopback host and port of the redirect URI.
  std::string callback_base_url = "http://127.0.0.1:8090";
  std::string callback_path = "/auth/callback";  ///< `callback.path`
  std::string proxy = "env";                     ///< `network.proxy`: "env", "none" or a URL
  std::string ca_file;                           ///< `network.ca_file`: a CA bundle in PEM form
};

/// What the command line says; empty where it says nothing.
struct ConfigFlags {
  std::string file;
  std::string data_dir;
  std::string socket;
};

/// Reads nexus.toml (a missing file is an empty one, unless it was named) and fills in the rest.
/// Errors: usage, naming the file and line of an unknown key or a value of the wrong type.
Result<Config> load_config(const ConfigFlags& flags);

}  // namespace nexus
