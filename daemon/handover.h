#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/descriptor.h"
#include "common/error.h"
#include "common/secret.h"
#include "daemon/api/proxy_listener.h"
#include "daemon/sandbox.h"

namespace nexus {

/// What one nexusd leaves to the next in the same process: `nexus daemon restart` has it execute
/// the program that is installed now. Sockets go on listening meanwhile, so that nobody is refused,
/// and programs that run keep their keys. What is stored is not part of it.
struct Handover {
  std::vector<Descriptor> sockets{};  ///< all that it listens on
  Descriptor lock{-1};                ///< of the data directory
  bool owns_socket = false;           ///< the control socket is no service manager's
  Descriptor child_helper{-1};        ///< to the process that runs what the sandbox would not let
  Sandbox sandbox{};                  ///< that the process is in
  api::ProxyListener::Left proxy{};
  std::optional<Secret> root_key{};   ///< where the next one could not find it: the environment's
  Descriptor machine_waits_for{-1};   ///< not left: the execution closes it (SuspendWatch)
  std::optional<KeySource> locked{};  ///< it opens the vault when it is asked to; its key's source
};

/// How a nexusd was started: what it needs to start another.
struct Launch {
  std::vector<std::string> words;  ///< its arguments, without the program
  std::string directory;           ///< that it was started in
};

/// Executes the program in place of this one, in the foreground: whoever waited for this one does
/// not wait for that. Returns where it could not, and says why.
Error hand_over(const std::string& program, const Launch& launch, const Handover& handover);

/// What was left to this one; nothing where it was started as usual. Error: failure for what no
/// nexusd has written.
Result<std::optional<Handover>> take_handover();
/// The descriptors of it.
std::vector<int> descriptors_of(const Handover& handover);

/// That the program would start with the settings that there are (--check). Errors: its own, or
/// failure where it cannot be run.
Result<void> check_successor(const std::string& program, const Launch& launch);

}  // namespace nexus
