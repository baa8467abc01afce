#include "cli/catalogue_names.h"

#include <unistd.h>

#include <algorithm>

#include "cli/program_path.h"
#include "common/paths.h"

namespace nexus::cli {
namespace {

bool is_name(const std::string& name) {
  return !name.empty() && name.size() <= 64 &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
}

}  // namespace

std::vector<std::string> catalogue_directories() {
  std::vector<std::string> directories;
  if (const auto config = default_config_file(); !config.empty())
    directories.push_back(config.substr(0, config.rfind('/')) + "/providers");
  if (auto installed = data_path("providers"); !installed.empty())
    directories.push_back(std::move(installed));
  return directories;
}

bool has_entry(const std::vector<std::string>& directories, const std::string& name) {
  return is_name(name) &&
         std::any_of(directories.begin(), directories.end(), [&name](const auto& directory) {
           return access((directory + "/" + name + ".toml").c_str(), F_OK) == 0;
         });
}

}  // namespace nexus::cli
