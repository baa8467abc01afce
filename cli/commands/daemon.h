#pragma once

#include "cli/command.h"
#include "cli/context.h"
#include "common/api/daemon_status.h"

namespace nexus::cli {

/// A remote daemon is started and stopped where it runs.
Result<void> check_local(const Context& context);

/// Never starts a daemon only to ask how it is.
Result<api::DaemonStatus> daemon_status(const Context& context);

/// Waits until what is under way has been finished. The process that has ended; 0 where none ran.
Result<std::int64_t> stop_running(const Context& context);

Command daemon_install_command();
Command daemon_logs_command();
Command daemon_uninstall_command();

}  // namespace nexus::cli
