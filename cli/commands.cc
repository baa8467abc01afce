// nexus-cli: every command of nexus, with its options and help.
#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/session.h"
#include "common/version.h"

namespace nexus::cli {
namespace {

const Command* const kCommands[] = {&connect_command, &token_command,    &status_command,
                                    &list_command,    &refresh_command,  &disconnect_command,
                                    &alias_command,   &provider_command, &key_command,
                                    &audit_command,   &daemon_command};

void add_global_options(CLI::App& app, GlobalOptions& options) {
  app.add_flag("--json", options.json, "print JSON, errors included")->group("Global options");
  app.add_flag("--no-color", options.no_color, "no colours")->group("Global options");
  app.add_flag("--no-autostart", options.no_autostart, "do not start the daemon")
      ->group("Global options");
  app.add_option("--workspace", options.workspace, "workspace to work in")->group("Global options");
  app.add_option("--socket", options.config.socket, "nexusd's control socket")
      ->group("Global options");
  app.add_option("--config", options.config.file, "nexus.toml to read")->group("Global options");
  app.add_option("--ca-file", options.config.ca_file, "CA bundle to trust, for NEXUS_URL")
      ->group("Global options");
}

bool is_named(const Command& command, std::string_view word) {
  return word == command.name || (*command.alias && word == command.alias);
}

/// The command that the arguments name, so that only its options have to be built: most of what
/// `nexus token` costs is its start.
const Command* command_in(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "help") continue;
    if (word == "--workspace" || word == "--socket" || word == "--config" || word == "--ca-file") {
      ++i;  // its value
    } else if (!word.starts_with('-')) {
      for (const auto* command : kCommands)
        if (is_named(*command, word)) return command;
      return nullptr;
    }
  }
  return nullptr;
}

CLI::App* add_command(CLI::App& app, const Command& command, Action& action) {
  auto* sub = app.add_subcommand(command.name, command.summary);
  if (*command.alias) sub->alias(command.alias);
  sub->footer("");  // the start is told once, by nexus --help
  sub->fallthrough();
  command.configure(*sub, action);
  return sub;
}

int run(int argc, char** argv) {
  harden_process();
  // `nexus help CMD` is `nexus CMD --help`.
  std::vector<std::string> words(argv + 1, argv + argc);
  if (!words.empty() && words[0] == "help") {
    words.erase(words.begin());
    words.push_back("--help");
  }
  GlobalOptions options;
  Action action;
  CLI::App app{"Working credentials for any service, without handling OAuth", "nexus"};
  add_global_options(app, options);
  app.set_version_flag("--version", std::string("nexus ") + kVersion);
  app.require_subcommand(1);
  app.footer(
      "Start with:  nexus provider catalog    (what nexus knows)\n"
      "             nexus connect NAME        (leads you, the first time)\n"
      "             nexus token NAME\n"
      "nexus COMMAND --help tells more; so does nexus(1).");
  if (const auto* command = command_in(argc, argv)) {
    add_command(app, *command, action);
  } else {
    for (const auto* each : kCommands) add_command(app, *each, action);
  }
  try {
    std::reverse(words.begin(), words.end());  // CLI11 takes them from the back
    app.parse(words);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    Output output;
    output.json = options.json;
    std::string command;
    for (const auto* at = &app; !at->get_subcommands().empty();) {
      at = at->get_subcommands().front();
      command += at->get_name() + " ";
    }
    return report(output, {ErrorCode::usage, error.what(), "run: nexus " + command + "--help"});
  }
  return run_action(options, action);
}

}  // namespace
}  // namespace nexus::cli

int main(int argc, char** argv) {
  return nexus::cli::run(argc, argv);
}
