// nexusd as it runs: that it is of this version, in its sandbox, and the only one.
#include <optional>

#include "cli/doctor/checks.h"
#include "cli/doctor/processes.h"
#include "cli/output/output.h"
#include "common/text.h"
#include "common/version.h"

namespace nexus::cli::doctor {
namespace {

Finding judge_version(const Scene& scene, const api::DaemonStatus& daemon) {
  if (daemon.version == kVersion)
    return ok("nexusd " + daemon.version + " has been up for " + duration_text(daemon.uptime_s));
  return warning("nexusd is " + printable(daemon.version, 40) + ", and nexus is " + kVersion,
                 scene.is_remote() ? "install the same version on both machines"
                                   : "run: nexus daemon restart");
}

std::optional<Finding> fault_of_sandbox(const api::DaemonStatus& daemon) {
  if (daemon.landlock > 0 && daemon.seccomp) return std::nullopt;
  const auto missing = std::string(daemon.landlock > 0 ? "" : "to its own files (Landlock)") +
                       (daemon.landlock > 0 || daemon.seccomp ? "" : ", nor ") +
                       (daemon.seccomp ? "" : "to its own system calls (seccomp)");
  return note("nexusd is not kept " + missing,
              "where the kernel can (Linux 5.13), leave sandbox under [daemon] in nexus.toml at "
              "\"auto\", and run: nexus daemon stop, nexus daemon start");
}

/// One of this machine is the socket's matter.
Finding unanswered(const Scene& scene, const Error& error) {
  if (!scene.is_remote()) return not_checked(scene, error);
  if (error.code == ErrorCode::access_denied)
    return note("the nexusd at " + scene.config.url + " answers, and tells an admin's key alone",
                "to have it checked, set NEXUS_API_KEY to a key made with: nexus key create --name "
                "NAME --admin");
  return failure(error);
}

}  // namespace

Findings check_daemon(const Scene& scene) {
  const auto& daemon = scene.daemon.get();
  Findings found{daemon ? judge_version(scene, *daemon) : unanswered(scene, daemon.error())};
  if (daemon)
    if (auto fault = fault_of_sandbox(*daemon)) found.push_back(*std::move(fault));
  std::vector<std::string> pids;
  for (const auto& each : own_daemons())
    if (!each.is_ephemeral) pids.push_back(std::to_string(each.pid));
  if (pids.size() > 1)
    found.push_back(warning(std::to_string(pids.size()) + " nexusd run as you, each with a vault " +
                                "of its own: pids " + join(pids, ", "),
                            "end those that you do not mean: kill PID (ps -C nexusd -o pid,args "
                            "shows their directories)"));
  return found;
}

}  // namespace nexus::cli::doctor
