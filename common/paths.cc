#include "common/paths.h"

#include <unistd.h>

#include <cstdlib>

namespace nexus {
namespace {

/// `below` in the base directory that a variable names, else in the one below HOME. The XDG
/// specification has relative values ignored; without a HOME it would be the root directory.
std::string in_base_directory(const char* variable, const char* below_home, const char* below) {
  const auto set = environment(variable);
  if (set.starts_with('/')) return set + below;
  const auto home = environment("HOME");
  return home.starts_with('/') ? home + below_home + below : "";
}

/// Where it is somebody else's, or not there, "".
std::string own_directory(const std::string& path) {
  struct stat about {};
  const bool own = lstat(path.c_str(), &about) == 0 && S_ISDIR(about.st_mode) && is_own(about);
  return own ? path : "";
}

std::string socket_below(const std::string& runtime_dir, const std::string& data_dir) {
  if (!runtime_dir.empty()) return runtime_dir + "/nexus/nexusd.sock";
  return data_dir.empty() ? "" : data_dir + "/nexusd.sock";
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
  return in_base_directory("XDG_CONFIG_HOME", "/.config", "/nexus/nexus.toml");
}

std::string default_data_dir() {
  return in_base_directory("XDG_DATA_HOME", "/.local/share", "/nexusd");
}

std::string default_state_dir() {
  return in_base_directory("XDG_STATE_HOME", "/.local/state", "/nexusd");
}

std::string fault_of_home() {
  const auto home = environment("HOME");
  return home.empty() ? "HOME is not set" : "HOME is not an absolute path (" + home + ")";
}

std::string default_socket(const std::string& data_dir) {
  const auto set = environment("XDG_RUNTIME_DIR");
  return socket_below(set.starts_with('/') ? set : runtime_dir_of_user(), data_dir);
}

std::string own_runtime_dir() {
  const auto set = own_directory(environment("XDG_RUNTIME_DIR"));
  return set.starts_with('/') ? set : runtime_dir_of_user();
}

std::string own_default_socket(const std::string& data_dir) {
  return socket_below(own_runtime_dir(), data_dir);
}

}  // namespace nexus
