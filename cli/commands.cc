// nexus-cli: every command of nexus, with its options and help.
#include <unistd.h>

#include <algorithm>

#include "cli/command.h"
#include "cli/commands/credential.h"
#include "cli/completion/complete.h"
#include "cli/manual.h"
#include "cli/output/pager.h"
#include "cli/session.h"
#include "common/version.h"

namespace nexus::cli {
namespace {

/// What the shells' scripts say; no command for people.
constexpr std::string_view kComplete = "__complete";

std::vector<Command> all_commands() {
  return {connect_command(),    token_command(),      api_command(),     exec_command(),
          status_command(),     list_command(),       refresh_command(), alias_command(),
          access_command(),     disconnect_command(), prune_command(),   provider_command(),
          key_command(),        proxy_command(),      export_command(),  import_command(),
          credential_command(), lock_command(),       unlock_command(),  vault_command(),
          audit_command(),      daemon_command(),     doctor_command(),  completion_command()};
}

std::vector<Argument> global_options(GlobalOptions& options) {
  return {{"--json", &options.json, "print JSON, errors included"},
          {"--no-color", &options.no_color, "no colours"},
          {"--no-pager", &options.no_pager, "print also what is longer than the terminal at once"},
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

/// Behind "--" are another program's words.
bool has_word(const std::vector<std::string>& words, std::string_view word) {
  const auto end = std::find(words.begin(), words.end(), "--");
  return std::find(words.begin(), end, word) != end;
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
                   .known_as = command.known_as,
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
  output.pager_allowed = !options.no_pager;
  return conclude(output, command.unsettled_action(options, output));
}

/// The help, or the version.
int show(const std::string& text, bool paged) {
  Output output;
  if (paged) page(output);
  output.raw(text);
  return conclude(output, 0);
}

/// "token" for "nexus-token" and "nexus-token(1)", as pages refer to its page; else the word
/// itself.
std::string command_of(std::string word) {
  if (word.ends_with("(1)")) word.erase(word.size() - 3);
  return word.starts_with("nexus-") ? word.substr(6) : word;
}

/// A page of the manual is shown where it can be; else that is an error.
int show_topic(const ManualPage& page, bool paged) {
  show_manual(page, paged);
  return report({}, {ErrorCode::failure,
                     page.name + "(" + page.section + ") is a page of the manual, which is " +
                         (isatty(STDOUT_FILENO) ? "not installed here" : "for a terminal"),
                     "see: man " + page.section + " " + page.name});
}

/// Lines of more than 80 columns are read badly, whatever room there is.
std::size_t columns_of_help() {
  return std::clamp<std::size_t>(Output().stdout_columns().value_or(80), 40, 80);
}

CommandLine program_line(GlobalOptions& options) {
  return {.name = "nexus",
          .summary = "Working credentials for any service, without handling OAuth",
          .arguments = global_options(options),
          .footer =
              "Start with:  nexus provider catalog    (what nexus knows)\n"
              "             nexus connect NAME        (leads you, the first time)\n"
              "             nexus token NAME\n"
              "nexus COMMAND --help tells more, nexus help COMMAND opens its manual.",
          .manual = "nexus(1)",
          .version = std::string("nexus ") + kVersion,
          .columns = columns_of_help(),
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
}

int run(int argc, char** argv) {
  harden_process();
  // `nexus` alone is `nexus --help`, and so is `nexus help CMD` where its manual cannot be shown.
  std::vector<std::string> words(argv + 1, argv + argc);
  const auto helper = helper_run_as(argc > 0 ? argv[0] : "");
  words.insert(words.begin(), helper.begin(), helper.end());
  if (words.empty()) words.push_back("help");
  const bool completes = words[0] == kComplete;
  const bool wants_manual = command_in(words) == "help";
  // The parser sets no option where it finds --help, or a mistake.
  const bool paged = !has_word(words, "--no-pager");
  const bool wants_json = has_word(words, "--json");
  if (wants_manual) {
    std::erase(words, "help");
    if (const auto page = page_of(std::string(command_in(words)))) return show_topic(*page, paged);
    std::transform(words.begin(), words.end(), words.begin(), command_of);
    words.push_back("--help");
  }
  GlobalOptions options;
  const Command* chosen = nullptr;
  auto program = program_line(options);
  // Only the options of the command that is named have to be built: most of what a command costs
  // is its start.
  const auto commands = all_commands();
  const auto name = command_in(words);
  const bool known =
      !completes && std::any_of(commands.begin(), commands.end(),
                                [&](const Command& each) { return is_named(each, name); });
  for (const auto& each : commands)
    if (!known || is_named(each, name)) {
      if (known && wants_manual) show_manual({manual_page(each), "1"}, paged);
      program.commands.push_back(line_of(each, manual_page(each), chosen));
    }
  if (completes) return complete(program, options, {words.begin() + 1, words.end()});
  const auto parsed = parse_arguments(program, std::move(words));
  if (!parsed) {
    Output output;
    output.json = wants_json;
    return report(output, parsed.error());
  }
  if (const auto& text = *parsed) return show(*text, wants_manual && paged);
  return run_chosen(*chosen, options);
}

}  // namespace
}  // namespace nexus::cli

int main(int argc, char** argv) {
  return nexus::cli::run(argc, argv);
}
