#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli/commands/daemon.h"
#include "cli/daemon_unit.h"
#include "cli/output/table.h"
#include "cli/program_path.h"
#include "common/paths.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

constexpr int kStopMs = 10'000;

const char* kept_to(const api::DaemonStatus& status) {
  if (status.landlock > 0) return status.seccomp ? "files, system calls" : "files";
  return status.seccomp ? "system calls" : "nothing: there is no sandbox";
}

Result<int> print_status(Context& context, const api::DaemonStatus& status) {
  if (context.output.json) {
    context.output.json_line(api::to_json(status));
    return 0;
  }
  std::vector<std::string> counts;
  for (std::size_t i = 0; i < status.connections.size(); ++i)
    counts.push_back(std::to_string(status.connections[i]) + " " +
                     word(api::DaemonStatus::kCounted[i]));
  const auto* answered_by = status.callback_on_gateway
                                ? " (on the gateway)"
                                : " (the port is bound while a consent is pending)";
  print_record(
      context.output,
      {{"nexusd", status.version},
       {"pid", std::to_string(status.pid)},
       {"socket", status.socket},
       {"data directory", status.data_dir.empty() ? "none: all is in memory" : status.data_dir},
       {"gateway", status.gateway.empty() ? "off" : status.gateway},
       {"callback", status.callback + answered_by},
       {"up for", duration_text(status.uptime_s)},
       {"vault key from", status.key_source + (status.locked ? " (locked)" : "")},
       {"kept to its own", kept_to(status)},
       {"connections", status.locked ? "not known: the vault is locked" : join(counts, ", ")}});
  for (const auto& damage : status.damage)
    context.output.warn("damaged, see nexusd(8), DAMAGE: " + damage);
  return 0;
}

/// Starts one where none runs. Another command may be about to, whose daemon is waited for then.
Result<api::DaemonStatus> started_status(const Context& context) {
  return Client(context.config, true).get<api::DaemonStatus>("/v1/daemon");
}

Result<int> run_start(Context& context) {
  NEXUS_CHECK(check_local(context));
  const auto running = daemon_status(context);
  if (running) {
    context.output.note("nexusd is running already");
    return print_status(context, *running);
  }
  if (!is_absent(running.error())) return running.error();
  NEXUS_TRY(const auto status, started_status(context));
  return print_status(context, status);
}

/// Waits until a process is gone; false when it is not within the time.
bool wait_for_end(pid_t pid) {
  const int handle = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (handle < 0) return errno == ESRCH;
  pollfd end{handle, POLLIN, 0};
  const bool gone = poll(&end, 1, kStopMs) == 1;
  close(handle);
  return gone;
}

Result<int> run_stop(Context& context) {
  NEXUS_CHECK(check_local(context));
  NEXUS_TRY(const auto pid, stop_running(context));
  if (pid == 0) {
    context.output.note("nexusd is not running");
  } else if (context.output.json) {
    context.output.json_line(
        JsonWriter().begin().flag("stopped", true).member("pid", pid).end().take());
  } else {
    context.output.note("nexusd is stopped");
  }
  return 0;
}

/// Has the nexusd that is installed here take the place of the one that runs. Callers wait for it.
Result<void> restart_running(const Context& context) {
  auto program = program_path("nexusd");
  if (program.empty()) program = on_path("nexusd");
  const auto body = JsonWriter().begin().member("program", program).end().take();
  const auto asked = Client(context.config, false).call_raw("POST", "/v1/daemon/restart", body);
  if (asked) return {};
  // One of before this could be asked of it.
  if (asked.error().code != ErrorCode::not_found) return asked.error();
  NEXUS_CHECK(stop_running(context));
  return {};
}

Result<int> run_restart(Context& context) {
  NEXUS_CHECK(check_local(context));
  const auto running = daemon_status(context);
  if (!running && !is_absent(running.error())) return running.error();
  if (running && is_of_unit(running->pid)) {
    // Its sockets go on listening meanwhile.
    NEXUS_CHECK(ask_service_manager({"restart", kDaemonService}));
  } else if (running) {
    NEXUS_CHECK(restart_running(context));
  }
  NEXUS_TRY(const auto status, started_status(context));
  return print_status(context, status);
}

Result<int> run_status(Context& context) {
  NEXUS_TRY(const auto status, daemon_status(context));
  return print_status(context, status);
}

}  // namespace

Result<void> check_local(const Context& context) {
  if (context.config.url.empty()) return {};
  return Error{ErrorCode::usage, "NEXUS_URL names a nexusd elsewhere: " + context.config.url,
               "run this on that machine, or unset NEXUS_URL"};
}

Result<api::DaemonStatus> daemon_status(const Context& context) {
  return Client(context.config, false).get<api::DaemonStatus>("/v1/daemon");
}

Result<std::int64_t> stop_running(const Context& context) {
  const auto status = daemon_status(context);
  if (!status && is_absent(status.error())) return std::int64_t{0};
  if (!status) return status.error();
  const auto pid = static_cast<pid_t>(status->pid);
  if (pid <= 1 || kill(pid, SIGTERM) != 0)
    return Error{
        ErrorCode::failure,
        "nexusd (pid " + std::to_string(pid) + ") cannot be stopped: " + std::strerror(errno),
        "stop it by hand"};
  if (wait_for_end(pid)) return status->pid;
  return Error{ErrorCode::failure, "nexusd (pid " + std::to_string(pid) + ") is still stopping",
               "wait a moment, then run: nexus daemon status"};
}

Command daemon_command() {
  return {
      .name = "daemon",
      .summary = "Start, stop and inspect nexusd",
      .examples = {"nexus daemon status"},
      .commands = {{.name = "start",
                    .summary = "Start nexusd in the background",
                    .action = run_start,
                    .examples = {"nexus daemon start"}},
                   {.name = "stop",
                    .summary = "Stop nexusd",
                    .action = run_stop,
                    .examples = {"nexus daemon stop"}},
                   {.name = "restart",
                    .summary = "Have the nexusd that is installed take over; callers wait for it",
                    .action = run_restart,
                    .examples = {"nexus daemon restart"}},
                   {.name = "status",
                    .summary = "Show how nexusd is doing",
                    .action = run_status,
                    .examples = {"nexus daemon status", "nexus daemon status --json"}},
                   daemon_logs_command(),
                   daemon_install_command(),
                   daemon_uninstall_command()}};
}

}  // namespace nexus::cli
