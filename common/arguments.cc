// The one file that includes CLI11: it takes as long to compile as ten others.
#include "common/arguments.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

namespace nexus {
namespace {

/// Declares one argument to CLI11, by what it is.
struct Declaration {
  CLI::App& app;
  const Argument& argument;

  CLI::Option* operator()(bool* into) const {
    return app.add_flag(argument.name, *into, argument.help);
  }
  CLI::Option* operator()(std::optional<bool>* into) const {
    // Not add_flag: that one sets an optional also when the flag was not given.
    const std::string name = argument.name;
    return app.add_flag_function(
        name + ",!--no-" + name.substr(2), [into](std::int64_t count) { *into = count > 0; },
        argument.help);
  }
  CLI::Option* operator()(std::vector<std::string>* into) const {
    auto* option = app.add_option(argument.name, *into, argument.help);
    return argument.name[0] == '-' ? option->expected(1)->take_all() : option;
  }
  CLI::Option* operator()(std::optional<std::string>* into) const {
    return app.add_option(argument.name, *into, argument.help);
  }
  CLI::Option* operator()(auto* into) const {
    return app.add_option(argument.name, *into, argument.help)->capture_default_str();
  }
};

void declare(CLI::App& app, const Argument& argument, const std::string& heading) {
  auto* option = std::visit(Declaration{app, argument}, argument.into);
  const auto& rules = argument.rules;
  option->required(rules.required);
  if (!rules.one_of.empty()) option->check(CLI::IsMember(rules.one_of));
  if (rules.between) option->check(CLI::Range(rules.between->first, rules.between->second));
  if (!heading.empty()) option->group(heading);
  if (rules.hidden) option->group("");
}

void declare(CLI::App& app, const CommandLine& line) {
  for (const auto& argument : line.arguments) declare(app, argument, line.heading);
  app.footer(line.footer);
  if (!line.alias.empty()) app.alias(line.alias);
  if (!line.version.empty()) app.set_version_flag("--version", line.version);
  if (!line.commands.empty()) app.require_subcommand(1);
  if (line.chosen) app.parse_complete_callback(line.chosen);
  for (const auto& command : line.commands) {
    auto* sub = app.add_subcommand(command.name, command.summary);
    sub->fallthrough();
    declare(*sub, command);
  }
}

/// "nexus provider add ", as far as the words named commands.
std::string commands_given(const CLI::App& app) {
  auto given = app.get_name() + " ";
  for (const auto* at = &app; !at->get_subcommands().empty();) {
    at = at->get_subcommands().front();
    given += at->get_name() + " ";
  }
  return given;
}

}  // namespace

Result<bool> parse_arguments(const CommandLine& program, std::vector<std::string> words) {
  CLI::App app{program.summary, program.name};
  declare(app, program);
  try {
    std::reverse(words.begin(), words.end());  // CLI11 takes them from the back
    app.parse(std::move(words));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0)
      return Error{ErrorCode::usage, error.what(), "run: " + commands_given(app) + "--help"};
    app.exit(error);  // prints what was asked for
    if (!std::cout.flush())
      return Error{ErrorCode::failure, "standard output cannot be written",
                   "see where it leads to, and how much space there is"};
    return false;
  }
  return true;
}

}  // namespace nexus
