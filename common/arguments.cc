// The one file that includes CLI11: it takes as long to compile as ten others.
#include "common/arguments.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

#include "common/suggestion.h"
#include "common/text.h"

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

/// As far as the words named commands.
struct Given {
  const CLI::App* app;
  const CommandLine* line;
  std::string text;  ///< "nexus provider add "
};

Given commands_given(const CLI::App& app, const CommandLine& program) {
  Given given{&app, &program, app.get_name() + " "};
  while (!given.app->get_subcommands().empty()) {
    given.app = given.app->get_subcommands().front();
    given.text += given.app->get_name() + " ";
    for (const auto& command : given.line->commands)
      if (command.name == given.app->get_name()) {
        given.line = &command;
        break;
      }
  }
  return given;
}

std::string did_you_mean(const std::optional<std::string>& word, const Given& given) {
  return word ? "did you mean: " + given.text + *word : "run: " + given.text + "--help";
}

Error no_command(const std::string& word, const Given& given) {
  const auto known = given.line->known_as.find(word);
  if (known != given.line->known_as.end())
    return {ErrorCode::usage, "there is no command '" + printable(word, 60) + "'",
            "that is here: " + known->second};
  std::vector<std::string> names;
  for (const auto& command : given.line->commands) names.push_back(command.name);
  return {ErrorCode::usage, "there is no command '" + printable(word, 60) + "'",
          did_you_mean(suggestion(word, names), given)};
}

Error no_option(const std::string& word, const CommandLine& program, const Given& given) {
  const auto name = word.substr(0, word.find('='));
  std::vector<std::string> names;
  for (const auto* line : {given.line, &program})
    for (const auto& argument : line->arguments)
      for (const auto& each : split(argument.name, ','))
        if (each.starts_with('-') && !argument.rules.hidden) names.push_back(each);
  return {ErrorCode::usage, "there is no option " + printable(name, 60),
          did_you_mean(suggestion(name, names), given)};
}

/// What is wrong with the words, as a person would say it.
Error explain(const CLI::ParseError& error, const CLI::App& app, const CommandLine& program) {
  const auto given = commands_given(app, program);
  auto left = app.remaining(true);
  std::erase(left, "--");
  for (const auto& word : left)
    if (word.starts_with('-')) return no_option(word, program, given);
  if (!given.line->commands.empty() && !left.empty()) return no_command(left.front(), given);
  if (!given.line->commands.empty()) {
    std::vector<std::string> names;
    for (const auto& command : given.line->commands) names.push_back(command.name);
    return {ErrorCode::usage, given.text + "wants one of: " + join(names, ", "),
            "run: " + given.text + "--help"};
  }
  if (!left.empty())
    return {ErrorCode::usage, "'" + printable(left.front(), 60) + "' is one word too many",
            "run: " + given.text + "--help"};
  return {ErrorCode::usage, error.what(), "run: " + given.text + "--help"};
}

}  // namespace

Result<bool> parse_arguments(const CommandLine& program, std::vector<std::string> words) {
  CLI::App app{program.summary, program.name};
  declare(app, program);
  try {
    std::reverse(words.begin(), words.end());  // CLI11 takes them from the back
    app.parse(std::move(words));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) return explain(error, app, program);
    app.exit(error);  // prints what was asked for
    if (!std::cout.flush())
      return Error{ErrorCode::failure, "standard output cannot be written",
                   "see where it leads to, and how much space there is"};
    return false;
  }
  return true;
}

}  // namespace nexus
