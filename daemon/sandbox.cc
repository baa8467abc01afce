#include "daemon/sandbox.h"
#include "daemon/executable.h"

#include <optional>

#include "common/port_holder.h"
#include "daemon/child_helper.h"
#include "daemon/log.h"
#include "daemon/own_places.h"
#include "daemon/system_calls.h"

namespace nexus {
namespace {

/// For as long as the process; made before there is a thread.
std::optional<ChildHelper>& child_helper() {
  static std::optional<ChildHelper> helper;
  return helper;
}

/// Whether it is in force. Error: where it has to be.
Result<bool> settle(const Result<void>& confined, const Config& config) {
  if (confined) return true;
  if (config.sandbox == "require")
    return Error{ErrorCode::failure, confined.error().message,
                 "daemon.sandbox is \"require\": with \"auto\" nexusd does without"};
  log(LogLevel::info, "not_confined", {{"error", confined.error().message}});
  return false;
}

Result<void> confine_files(const std::vector<AllowedPlace>& places) {
  if (landlock_version() > 0) return confine_to(places);
  return Error{ErrorCode::failure, "the kernel has no Landlock, or it is not turned on", ""};
}

}  // namespace

Result<Sandbox> enter_sandbox(const Config& config, const std::string& directory,
                              const std::string& socket_directory) {
  Sandbox sandbox;
  if (config.sandbox == "off") {
    log(LogLevel::warn, "not_confined", {{"setting", "daemon.sandbox is \"off\""}});
    return sandbox;
  }
  NEXUS_TRY(child_helper(), ChildHelper::fork_off(config, directory));
  const auto files = confine_files(own_places(config, directory, socket_directory));
  NEXUS_TRY(const bool by_files, settle(files, config));
  if (by_files) sandbox.landlock = landlock_version();
  NEXUS_TRY(sandbox.seccomp, settle(confine_system_calls(), config));
  if (sandbox.is_on()) run_children_by(*child_helper());
  return sandbox;
}

void stay_in_sandbox(Descriptor helper) {
  if (helper.get() < 0) return;
  child_helper().emplace(std::move(helper));
  child_helper()->renew();
  run_children_by(*child_helper());
}

std::string holder_of_port(int port) {
  return child_helper() ? child_helper()->port_holder(port) : port_holder(port);
}

Descriptor executable_of(pid_t pid) {
  return child_helper() ? child_helper()->executable(pid) : executable_of_process(pid);
}

Descriptor child_helper_to_leave() {
  return child_helper() ? child_helper()->copy() : Descriptor(-1);
}

}  // namespace nexus
