// nexusd as a service of this user: systemd listens at its socket and starts it.
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "cli/command.h"
#include "cli/commands/daemon.h"
#include "cli/daemon_unit.h"
#include "common/paths.h"

namespace nexus::cli {
namespace {

void say(const Context& context, const char* state, const std::vector<std::string>& notes) {
  if (context.output.json)
    context.output.json_line(JsonWriter().begin().member("service", state).end().take());
  else
    for (const auto& note : notes) context.output.note(note);
}

bool are_units_known() {
  return ask_service_manager({"cat", kDaemonSocket, kDaemonService}).ok();
}

Result<int> run_install(Context& context) {
  NEXUS_CHECK(check_local(context));
  NEXUS_CHECK(ask_service_manager({"daemon-reload"}));
  if (!are_units_known())
    return Error{ErrorCode::failure, "systemd knows no " + std::string(kDaemonSocket) + " of yours",
                 "install Nexus with its units (share/systemd/user), in ~/.local or for all"};
  // Two cannot serve one vault, and what a command has started would end with its session.
  NEXUS_CHECK(stop_running(context));
  NEXUS_CHECK(ask_service_manager({"enable", "--now", kDaemonSocket}));
  say(context, "installed",
      {"systemd starts nexusd from now on, when somebody asks for it.",
       "It ends with your last session, unless you run: loginctl enable-linger"});
  return 0;
}

Result<int> run_uninstall(Context& context) {
  NEXUS_CHECK(check_local(context));
  if (!are_units_known()) {
    say(context, "uninstalled", {"nexusd is no service: systemd knows no nexusd.socket of yours."});
    return 0;
  }
  NEXUS_CHECK(ask_service_manager({"disable", "--now", kDaemonSocket, kDaemonService}));
  say(context, "uninstalled",
      {"nexusd is no service any more, and starts with the first command that needs it.",
       "Connections and settings stay where they are."});
  return 0;
}

/// Becomes a program that shows a log.
Result<int> become(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  execvp(arguments[0], arguments.data());
  return Error{ErrorCode::failure, words[0] + " could not be run: " + std::strerror(errno),
               "install it"};
}

struct LogArgs {
  int lines = 50;
  bool follow = false;
};

Result<int> run_logs(Context& context, const LogArgs& args) {
  NEXUS_CHECK(check_local(context));
  const auto lines = std::to_string(args.lines);
  const auto status = daemon_status(context);
  if (status && is_of_unit(status->pid)) {
    std::vector<std::string> words{"journalctl", "--user",  "--unit", kDaemonService,
                                   "--no-pager", "--lines", lines};
    if (args.follow) words.emplace_back("--follow");
    return become(std::move(words));
  }
  const auto file = (status ? status->data_dir : context.config.data_dir) + "/nexusd.log";
  if (access(file.c_str(), R_OK) != 0)
    return Error{ErrorCode::not_found, "there is no log at " + file + ": " + std::strerror(errno),
                 "one that runs in the foreground, or as a service, logs elsewhere "
                 "(journalctl --user --unit nexusd.service)"};
  std::vector<std::string> words{"tail", "-n", lines};
  if (args.follow) words.emplace_back("-F");
  words.push_back(file);
  return become(std::move(words));
}

}  // namespace

Command daemon_install_command() {
  return {.name = "install",
          .summary = "Have systemd start nexusd for you, as a service of this user",
          .action = run_install,
          .examples = {"nexus daemon install"}};
}

Command daemon_uninstall_command() {
  return {.name = "uninstall",
          .summary = "Have nexusd be no service any more; nothing that is stored goes",
          .action = run_uninstall,
          .examples = {"nexus daemon uninstall"}};
}

Command daemon_logs_command() {
  auto args = std::make_shared<LogArgs>();
  return {.name = "logs",
          .summary = "Show what nexusd has logged",
          .arguments = {{"-n,--lines",
                         &args->lines,
                         "how many of the last ones",
                         {.between = {{0, 1000000}}, .value = "N"}},
                        {"-f,--follow", &args->follow, "go on with what is logged from now on"}},
          .action = [args](Context& context) { return run_logs(context, *args); },
          .examples = {"nexus daemon logs --follow"}};
}

}  // namespace nexus::cli
