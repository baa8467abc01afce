#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli/command.h"
#include "cli/output/table.h"
#include "common/api/daemon_status.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

constexpr int kStopMs = 10'000;

/// Never starts a daemon only to ask how it is.
Result<api::DaemonStatus> ask_status(Context& context) {
  return Client(context.config, false).get<api::DaemonStatus>("/v1/daemon");
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
       {"vault key from", status.key_source},
       {"connections", join(counts, ", ")}});
  for (const auto& damage : status.damage)
    context.output.warn("damaged, see nexusd(8), DAMAGE: " + damage);
  return 0;
}

/// A remote daemon is started and stopped where it runs.
Result<void> check_local(const Context& context) {
  if (context.config.url.empty()) return {};
  return Error{ErrorCode::usage, "NEXUS_URL names a nexusd elsewhere: " + context.config.url,
               "run this on that machine, or unset NEXUS_URL"};
}

Result<int> run_start(Context& context) {
  NEXUS_CHECK(check_local(context));
  const auto running = ask_status(context);
  if (running) {
    context.output.note("nexusd is running already");
    return print_status(context, *running);
  }
  if (!is_absent(running.error())) return running.error();
  NEXUS_CHECK(start_daemon(context.config));
  NEXUS_TRY(const auto status, ask_status(context));
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
  const auto status = ask_status(context);
  if (!status) {
    if (!is_absent(status.error())) return status.error();
    context.output.note("nexusd is not running");
    return 0;
  }
  const auto pid = static_cast<pid_t>(status->pid);
  if (pid <= 1 || kill(pid, SIGTERM) != 0)
    return Error{
        ErrorCode::failure,
        "nexusd (pid " + std::to_string(pid) + ") cannot be stopped: " + std::strerror(errno),
        "stop it by hand"};
  if (!wait_for_end(pid))
    return Error{ErrorCode::failure, "nexusd (pid " + std::to_string(pid) + ") is still stopping",
                 "wait a moment, then run: nexus daemon status"};
  if (context.output.json) {
    context.output.json_line(
        JsonWriter().begin().flag("stopped", true).member("pid", pid).end().take());
  } else {
    context.output.note("nexusd is stopped");
  }
  return 0;
}

Result<int> run_status(Context& context) {
  NEXUS_TRY(const auto status, ask_status(context));
  return print_status(context, status);
}

}  // namespace

Command daemon_command() {
  return {.name = "daemon",
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
                       {.name = "status",
                        .summary = "Show how nexusd is doing",
                        .action = run_status,
                        .examples = {"nexus daemon status", "nexus daemon status --json"}}}};
}

}  // namespace nexus::cli
