#include "common/paths.h"

#include <cstdlib>

namespace nexus {
namespace {

/// The XDG specification has relative values ignored.
std::string base_directory(const char* variable, const char* below_home) {
  const auto set = environment(variable);
  if (set.starts_with('/')) return set;
  return environment("HOME") + below_home;
}

}  // namespace

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::string default_config_file() {
  return base_directory("XDG_CONFIG_HOME", "/.config") + "/nexus/nexus.toml";
}

std::string default_data_dir() {
  return base_directory("XDG_DATA_HOME", "/.local/share") + "/nexusd";
}

std::string default_socket(const std::string& data_dir) {
  const auto runtime = environment("XDG_RUNTIME_DIR");
  return (runtime.starts_with('/') ? runtime + "/nexus" : data_dir) + "/nexusd.sock";
}

}  // namespace nexus
