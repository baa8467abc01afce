#include "cli/credential/tool_files.h"

#include <unistd.h>

#include "common/paths.h"

namespace nexus::cli {
namespace {

Result<std::string> in_home(const std::string& name) {
  const auto home = environment("HOME");
  if (home.starts_with('/')) return home + "/" + name;
  return Error{ErrorCode::usage,
               "HOME is not set, so there is no telling where the configuration is",
               "set HOME to your home directory"};
}

}  // namespace

/// git config has a file of its own, or that of XDG.
Result<std::string> git_file() {
  if (const auto named = environment("GIT_CONFIG_GLOBAL"); !named.empty()) return named;
  NEXUS_TRY(const auto usual, in_home(".gitconfig"));
  if (access(usual.c_str(), F_OK) == 0) return usual;
  const auto xdg = environment("XDG_CONFIG_HOME");
  NEXUS_TRY(const auto other, xdg.starts_with('/') ? Result<std::string>(xdg + "/git/config")
                                                   : in_home(".config/git/config"));
  return access(other.c_str(), F_OK) == 0 ? other : usual;
}

Result<std::string> docker_file() {
  const auto named = environment("DOCKER_CONFIG");
  return named.empty() ? in_home(".docker/config.json") : named + "/config.json";
}

Result<std::string> aws_file() {
  const auto named = environment("AWS_CONFIG_FILE");
  return named.empty() ? in_home(".aws/config") : named;
}

}  // namespace nexus::cli
