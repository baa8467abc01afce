// nexus-cli: every command of nexus, with its options and help.
#include <algorithm>

#include "cli/command.h"
#include "cli/commands/credential.h"
#include "cli/completion/complete.h"
#include "cli/manual.h"
#include "cli/session.h"
#include "common/version.h"

namespace nexus::cli {
namespace {

/// What the shells' scripts say; no command for people.
constexpr std::string_view kComplete = "__complete";

std::vector<Command> all_commands() {
  return {connect_command(),    token_command(),  api_command(),      exec_command(),
          status_command(),     list_command(),   refresh_command(),  alias_command(),
          disconnect_command(), prune_command(),  provider_command(), key_command(),
          proxy_command(),      export_command(), import_command(),   credential_command(),
          audit_command(),      daemon_command(), doctor_command(),   completion_command()};
}

std::vector<Argument> global_options(GlobalOptions& options) {
  return {{"--json", &options.json, "print JSON, errors included"},
          {"--no-color", &options.no_color, "no colours"},
          {"--no-autostart", &options.no_autostart, "do not start the daemon"},
          {"--workspace",
           &options.workspace,
           "workspace to work in",
           {.value = "NAME", .names = Names::workspace}},
          {"--socket",
           &options.config.socket,
           "nexusd's control socket",
           {.value = "PATH", .names = Names::file}},
          {"--config",
           &options.config.file,
           "nexus.toml to read",
           {.value = "FILE", .names = Names::file}},
          {"--ca-file",
           &options.config.ca_file,
           "CA bundle to trust, for NEXUS_URL",
           {.names = Names::file}}};
}

bool is_named(const Command& command, std::string_view word) {
  return word == command.name || (*command.alias && word == command.alias);
}

/// The first word that is neither an option nor an option's value: the command's name.
std::string_view command_in(const std::vector<std::string>& words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (word == "--workspace" || word == "--socket" || word == "--config" || word == "--ca-file") {
      ++i;  // its value
    } else if (!word.starts_with('-')) {
      return word;
    }
  }
  return {};
}

/// The name of the manual page that a command and those below it share.
std::string manual_page(const Command& command) {
  return std::string("nexus-") + command.name;
}

/// `chosen` is going to point into `command`.
CommandLine line_of(const Command& command, const std::string& page, const Command*& chosen) {
  CommandLine line{.name = command.name,
                   .summary = command.summary,
                   .arguments = command.arguments,
                   .alias = command.alias,
                   .footer = command.footer,
                   .examples = command.examples,
                   .manual = page + "(1)",
                   .runs = command.runs};
  for (const auto& each : command.commands) line.commands.push_back(line_of(each, page, chosen));
  if (command.action || command.unsettled_action) line.chosen = [&] { chosen = &command; };
  return line;
}

int run_chosen(const Command& command, const GlobalOptions& options) {
  if (command.action) return run_action(options, command.action);
  Output output;
  output.json = options.json;
  output.color_allowed = !options.no_color;
  return conclude(output, command.unsettled_action(options, output));
}

int run(int argc, char** argv) {
  harden_process();
  // `nexus` alone is `nexus --help`, and so is `nexus help CMD` where its manual cannot be shown.
  std::vector<std::string> words(argv + 1, argv + argc);
  const auto helper = helper_run_as(argc > 0 ? argv[0] : "");
  words.insert(words.begin(), helper.begin(), helper.end());
  if (words.empty()) words.push_back("help");
  const bool completes = words[0] == kComplete;
  const bool wants_manual = words[0] == "help";
  if (wants_manual) {
    words.push_back("--help");
    std::erase(words, "help");
  }
  GlobalOptions options;
  const Command* chosen = nullptr;
  CommandLine program{.name = "nexus",
                      .summary = "Working credentials for any service, without handling OAuth",
                      .arguments = global_options(options),
                      .footer =
                          "Start with:  nexus provider catalog    (what nexus knows)\n"
                          "             nexus connect NAME        (leads you, the first time)\n"
                          "             nexus token NAME\n"
                          "nexus COMMAND --help tells more, nexus help COMMAND opens its manual.",
                      .manual = "nexus(1)",
                      .version = std::string("nexus ") + kVersion,
                      .known_as = {{"login", "nexus connect"},
                                   {"auth", "nexus connect"},
                                   {"add", "nexus connect, or nexus provider add"},
                                   {"logout", "nexus disconnect"},
                                   {"rm", "nexus disconnect"},
                                   {"remove", "nexus disconnect"},
                                   {"delete", "nexus disconnect"},
                                   {"ls", "nexus list"},
                                   {"get", "nexus token"},
                                   {"run", "nexus exec"},
                                   {"rename", "nexus alias"},
                                   {"whoami", "nexus status"},
                                   {"log", "nexus audit"},
                                   {"logs", "nexus audit"},
                                   {"start", "nexus daemon start"},
                                   {"stop", "nexus daemon stop"},
                                   {"catalog", "nexus provider catalog"},
                                   {"check", "nexus doctor"},
                                   {"version", "nexus --version"}}};
  // Only the options of the command that is named have to be built: most of what a command costs
  // is its start.
  const auto commands = all_commands();
  const auto name = command_in(words);
  const bool known =
      !completes && std::any_of(commands.begin(), commands.end(),
                                [&](const Command& each) { return is_named(each, name); });
  for (const auto& each : commands)
    if (!known || is_named(each, name)) {
      if (known && wants_manual) show_manual(manual_page(each));
      program.commands.push_back(line_of(each, manual_page(each), chosen));
    }
  if (completes) return complete(program, options, {words.begin() + 1, words.end()});
  const auto parsed = parse_arguments(program, std::move(words));
  if (!parsed) {
    Output output;
    output.json = options.json;
    return report(output, parsed.error());
  }
  return *parsed ? run_chosen(*chosen, options) : 0;
}

}  // namespace
}  // namespace nexus::cli

int main(int argc, char** argv) {
  return nexus::cli::run(argc, argv);
}
