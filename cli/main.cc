// nexus: global options, the table of commands, errors → text and exit code.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/commands/token.h"
#include "common/paths.h"
#include "common/version.h"

namespace nexus::cli {
namespace {

const Command* const kCommands[] = {&connect_command, &token_command,    &status_command,
                                    &list_command,    &refresh_command,  &disconnect_command,
                                    &alias_command,   &provider_command, &daemon_command};

struct GlobalOptions {
  ConfigFlags config;
  std::string workspace;
  bool json = false;
  bool no_color = false;
  bool no_autostart = false;
};

void add_global_options(CLI::App& app, GlobalOptions& options) {
  app.add_flag("--json", options.json, "print JSON, errors included")->group("Global options");
  app.add_flag("--no-color", options.no_color, "no colours")->group("Global options");
  app.add_flag("--no-autostart", options.no_autostart, "do not start the daemon")
      ->group("Global options");
  app.add_option("--workspace", options.workspace, "workspace to work in")->group("Global options");
  app.add_option("--socket", options.config.socket, "nexusd's control socket")
      ->group("Global options");
  app.add_option("--config", options.config.file, "nexus.toml to read")->group("Global options");
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
    if (word == "--workspace" || word == "--socket" || word == "--config") {
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
  sub->fallthrough();
  command.configure(*sub, action);
  return sub;
}

Result<Context> make_context(const GlobalOptions& options) {
  Context context;
  NEXUS_TRY(context.config, load_config(options.config));
  if (!options.workspace.empty()) context.config.workspace = options.workspace;
  context.output.json = options.json;
  context.output.color_allowed = !options.no_color;
  const bool autostart = !options.no_autostart && environment("NEXUS_NO_AUTOSTART").empty();
  context.client = Client(context.config, autostart);
  return context;
}

int report(const Output& output, const Error& error) {
  output.error(error);
  return error.exit_code();
}

int finish(const GlobalOptions& options, const Action& action) {
  Output output;
  output.json = options.json;
  auto context = make_context(options);
  if (!context) return report(output, context.error());
  const auto code = action(*context);
  return code ? *code : report(context->output, code.error());
}

int run(int argc, char** argv) {
  // Tokens pass through this process: no core files, no peeking by ptrace.
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0);
  signal(SIGPIPE, SIG_IGN);

  if (const auto args = plain_token_arguments(argc, argv))
    // Everything is written: there is nothing that destructors of static objects would have to do.
    _exit(finish({}, [&](Context& context) { return run_token(context, *args); }));

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
      "Start with:  nexus provider add NAME --issuer URL --client-id ID\n"
      "             nexus connect NAME\n"
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
    const auto* sub = app.get_subcommands().empty() ? nullptr : app.get_subcommands().front();
    return report(output, {ErrorCode::usage, error.what(),
                           "run: nexus " + (sub ? sub->get_name() + " " : "") + "--help"});
  }
  return finish(options, action);
}

}  // namespace
}  // namespace nexus::cli

int main(int argc, char** argv) {
  return nexus::cli::run(argc, argv);
}
