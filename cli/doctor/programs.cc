// That an installation is whole.
#include "cli/doctor/checks.h"
#include "cli/program_path.h"

namespace nexus::cli::doctor {

Findings check_programs(const Scene& scene) {
  constexpr const char* install =
      "install it again: nexus and nexusd go into bin, the others into libexec/nexus beside it";
  Findings found;
  const auto look_for = [&](const char* name, State state, const std::string& needed) {
    if (program_path(name).empty())
      found.push_back(
          {state, std::string(name) + " is not of this installation: " + needed, install});
  };
  look_for("nexus", State::warning, "it is what scripts and credential helpers call");
  if (on_path("nexusd").empty())
    look_for("nexusd", scene.is_remote() ? State::note : State::failure,
             "no daemon can be started");
  look_for("nexus-remote", scene.is_remote() ? State::failure : State::warning,
           "NEXUS_URL needs it");
  look_for("nexus-jq", State::warning, "nexus api --jq needs it");
  return or_ok(std::move(found), "nexus, nexus-cli, nexusd, nexus-remote and nexus-jq are there");
}

}  // namespace nexus::cli::doctor
