#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/config.h"
#include "common/error.h"
#include "daemon/daemon.h"
#include "daemon/ephemeral.h"
#include "daemon/handover.h"
#include "daemon/process.h"

namespace nexus {

// A nexusd from its start to its end, with its signals: with a data directory, where it may have to
// wait for its vault's key, or in memory.

/// All of nexus.toml has to be right: a daemon does not guess what was meant. Error: usage.
Result<Config> settings_of(const ConfigFlags& flags);

/// What one begins with that is not in its settings.
struct Beginning {
  Launch launch;
  int passed_socket = -1;  ///< the control socket, where it was passed on
  std::optional<Handover> handover;
};

/// Until it is told to stop. Returns what takes its place, if anything does. `flags` are read again
/// on SIGHUP.
Result<std::optional<Daemon::Succession>> serve(const ConfigFlags& flags, Config config,
                                                Beginning& beginning, Background& background);

/// Returns where it could not be.
void hand_over(const Daemon::Succession& to, const Launch& launch);

/// What a daemon that keeps nothing lives for and listens in.
struct Job {
  StartedBy started_by;
  SocketDirectory directory;

  /// Before this process goes into the background. Error: failure.
  static Result<Job> take();
};

/// Until it is told to stop, or who started it has ended.
Result<void> serve_in_memory(const ConfigFlags& flags, const Config& config, Job& job,
                             const Beginning& beginning, Background& background);

}  // namespace nexus
