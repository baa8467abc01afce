// The one file that includes CLI11: it takes as long to compile as ten others.
#include "common/arguments.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

#include "common/help.h"
#include "common/suggestion.h"
#include "common/text.h"

namespace nexus {
namespace {

/// Declares one argument to CLI11, by what it is.
struct Declaration {
  CLI::App& app;
  const Argument& argument;

  CLI::Option* operator()(bool* into) const { return app.add_flag(argument.name, *into); }
  CLI::Option* operator()(std::optional<bool>* into) const {
    // Not add_flag: that one sets an optional also when the flag was not given.
    const std::string name = argument.name;
    return app.add_flag_function(name + ",!--no-" + name.substr(2),
                                 [into](std::int64_t count) { *into = count > 0; });
  }
  CLI::Option* operator()(std::vector<std::string>* into) const {
    auto* option = app.add_option(argument.name, *into);
    return argument.name[0] == '-' ? option->expected(1)->take_all()->allow_extra_args(false)
                                   : option;
  }
  CLI::Option* operator()(auto* into) const { return app.add_option(argument.name, *into); }
};

void declare(CLI::App& app, const Argument& argument) {
  auto* option = std::visit(Declaration{app, argument}, argument.into);
  const auto& rules = argument.rules;
  option->required(rules.required);
  if (rules.between) option->check(CLI::Range(rules.between->first, rules.between->second));
}

void declare(CLI::App& app, const CommandLine& line) {
  for (const auto& argument : line.arguments) declare(app, argument);
  if (!line.alias.empty()) app.alias(line.alias);
  if (!line.version.empty()) app.set_version_flag("--version", line.version);
  if (!line.commands.empty()) app.require_subcommand(1);
  if (line.chosen) app.parse_complete_callback(line.chosen);
  for (const auto& command : line.commands) {
    auto* sub = app.add_subcommand(command.name);
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

/// The first word that is left where a command has to stand; nothing where there is none.
std::optional<std::string> unknown_command(const CLI::App& app, const Given& given) {
  if (given.line->commands.empty()) return std::nullopt;
  for (const auto& word : app.remaining(true))
    if (!word.starts_with('-')) return word;
  return std::nullopt;
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

/// One of the words that it may be was mistyped.
Error no_value(const Argument& argument, const std::string& value) {
  const auto& words = argument.rules.one_of;
  const auto meant = suggestion(value, words);
  return {ErrorCode::usage,
          std::string(argument.name) + " cannot be '" + printable(value, 60) + "'",
          meant ? "did you mean: " + std::string(argument.name) + " " + *meant
                : "it is one of: " + join(words, ", ")};
}

/// The values that were given, each one of those that its argument may have.
Result<void> check_values(const CLI::App& app, const CommandLine& line) {
  for (const auto& argument : line.arguments) {
    if (argument.rules.one_of.empty()) continue;
    for (const auto& value : app.get_option(argument.name)->results())
      if (std::find(argument.rules.one_of.begin(), argument.rules.one_of.end(), value) ==
          argument.rules.one_of.end())
        return no_value(argument, value);
  }
  return {};
}

/// What is wrong with the words, as a person would say it.
Error explain(const CLI::ParseError& error, const CLI::App& app, const CommandLine& program) {
  const auto given = commands_given(app, program);
  const auto wrong = [&](const std::string& what) {
    return Error{ErrorCode::usage, what, "run: " + given.text + "--help"};
  };
  auto left = app.remaining(true);
  std::erase(left, "--");
  for (const auto& word : left)
    if (word.starts_with('-')) return no_option(word, program, given);
  if (const auto word = unknown_command(app, given)) return no_command(*word, given);
  if (!given.line->commands.empty()) {
    std::vector<std::string> names;
    for (const auto& command : given.line->commands) names.push_back(command.name);
    return wrong(given.text + "wants one of: " + join(names, ", "));
  }
  if (!left.empty()) return wrong("'" + printable(left.front(), 60) + "' is one word too many");
  const std::string said = error.what();
  // CLI11 tells a missing value by its type, and counts those that are too many.
  if (said.ends_with(" missing")) return wrong(said.substr(0, said.find(':')) + " wants a value");
  if (said.find(": At Most 1 ") != std::string::npos)
    return wrong(said.substr(0, said.find(':')) + " is given more than once");
  return wrong(said);
}

/// What was asked for instead of a command.
Result<bool> show(const std::string& text) {
  std::cout << text;
  if (!std::cout.flush())
    return Error{ErrorCode::failure, "standard output cannot be written",
                 "see where it leads to, and how much space there is"};
  return false;
}

/// The words behind "--" are the other program's where a command runs one: CLI11 would take them
/// for ours.
void take_program(const CommandLine& program, std::vector<std::string>& words) {
  const auto dashes = std::find(words.begin(), words.end(), "--");
  if (dashes == words.end()) return;
  for (const auto& command : program.commands) {
    if (!command.runs || std::find(words.begin(), dashes, command.name) == dashes) continue;
    command.runs->assign(dashes + 1, words.end());
    words.erase(dashes, words.end());
    return;
  }
}

}  // namespace

Result<bool> parse_arguments(const CommandLine& program, std::vector<std::string> words) {
  take_program(program, words);
  CLI::App app{program.summary, program.name};
  declare(app, program);
  try {
    std::reverse(words.begin(), words.end());  // CLI11 takes them from the back
    app.parse(std::move(words));
  } catch (const CLI::CallForHelp&) {
    const auto given = commands_given(app, program);
    if (const auto word = unknown_command(app, given)) return no_command(*word, given);
    return show(help_text(program, *given.line, std::string(trim(given.text))));
  } catch (const CLI::CallForVersion&) {
    return show(program.version + "\n");
  } catch (const CLI::ParseError& error) {
    return explain(error, app, program);
  }
  const auto given = commands_given(app, program);
  NEXUS_CHECK(check_values(*given.app, *given.line));
  return true;
}

}  // namespace nexus
