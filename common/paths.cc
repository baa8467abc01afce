#include "common/paths.h"

#include <unistd.h>

#include <cstdlib>

namespace nexus {
namespace {

/// The XDG specification has relative values ignored.
std::string base_directory(const char* variable, const char* below_home) {
  const auto set = environment(variable);
  if (set.starts_with('/')) return set;
  return environment("HOME") + below_home;
}

/// Where it is somebody else's, or not there, "".
std::string own_directory(const std::string& path) {
  struct stat about {};
  const bool own = lstat(path.c_str(), &about) == 0 && S_ISDIR(about.st_mode) && is_own(about);
  return own ? path : "";
}

std::string socket_below(const std::string& runtime_dir, const std::string& data_dir) {
  return (runtime_dir.empty() ? data_dir : runtime_dir + "/nexus") + "/nexusd.sock";
}

std::string runtime_dir_of_user() {
  return own_directory("/run/user/" + std::to_string(geteuid()));
}

}  // namespace

bool is_own(const struct stat& file) {
  return file.st_uid == geteuid() && (file.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

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
  const auto set = environment("XDG_RUNTIME_DIR");
  return socket_below(set.starts_with('/') ? set : runtime_dir_of_user(), data_dir);
}

std::string own_default_socket(const std::string& data_dir) {
  const auto set = own_directory(environment("XDG_RUNTIME_DIR"));
  return socket_below(set.starts_with('/') ? set : runtime_dir_of_user(), data_dir);
}

}  // namespace nexus
