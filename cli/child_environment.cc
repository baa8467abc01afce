#include "cli/child_environment.h"

#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <string_view>

namespace nexus::cli {
namespace {

/// Whose they are cannot be told: of a container that runs nexusd, or of some other program in this
/// shell. What is started from here gets neither.
constexpr std::string_view kApiKeys[] = {
    "API_KEY=",      "API_KEYS=",      "API_KEY_RELOAD_INTERVAL=",
    "API_KEY_FILE=", "API_KEYS_FILE=", "NEXUS_API_KEY="};

bool is_api_key(std::string_view variable) {
  return std::any_of(std::begin(kApiKeys), std::end(kApiKeys),
                     [variable](std::string_view name) { return variable.starts_with(name); });
}

/// For nexus import and nexus vault restore, which read them here.
bool opens_bundles(std::string_view variable) {
  return variable.starts_with("NEXUS_BUNDLE_KEY=") ||
         variable.starts_with("NEXUS_BUNDLE_PASSPHRASE=");
}

bool is_ours(std::string_view variable) {
  return variable.starts_with("NEXUS_") || variable.starts_with("ENCRYPTION_KEY=");
}

}  // namespace

std::vector<char*> environment_for(ChildKind child) {
  std::vector<char*> kept;
  for (char** variable = environ; *variable; ++variable)
    if (!is_api_key(*variable) && !opens_bundles(*variable) &&
        (child == ChildKind::nexusd || !is_ours(*variable)))
      kept.push_back(*variable);
  // Else nexusd would execute itself anew, to have the loader do so.
  static char look_all_up[] = "LD_BIND_NOW=1";
  if (child == ChildKind::nexusd) kept.push_back(look_all_up);
  kept.push_back(nullptr);
  return kept;
}

}  // namespace nexus::cli
