// The one file that includes CLI11: it takes as long to compile as ten others.
#include "common/arguments.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <initializer_list>
#include <iterator>

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
  if (!line.commands.empty()) app.require_subcommand(line.chosen ? 0 : 1, 1);
  // One that does something by itself is done where no command below it is.
  if (line.chosen)
    app.parse_complete_callback([&app, chosen = line.chosen] {
      if (app.get_subcommands().empty()) chosen();
    });
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
  const auto known = given.line->known_as.find(word.starts_with("--") ? name : word.substr(0, 2));
  if (known != given.line->known_as.end())
    return {ErrorCode::usage, "there is no option " + known->first, known->second};
  std::vector<std::string> names;
  for (const auto* line : {given.line, &program})
    for (const auto& argument : line->arguments)
      for (const auto& each : split(argument.name, ','))
        if (each.starts_with('-') && !argument.rules.hidden) names.push_back(each);
  const auto meant = suggestion(name, names);
  if (!meant && given.line->runs)
    return {ErrorCode::usage, "there is no option " + printable(name, 60),
            "if it is the program's, put -- in front of that: " + given.text + "… -- PROGRAM " +
                printable(name, 60)};
  return {ErrorCode::usage, "there is no option " + printable(name, 60),
          did_you_mean(meant, given)};
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
  if (!given.line->commands.empty() && !given.line->chosen) {
    std::vector<std::string> names;
    for (const auto& command : given.line->commands) names.push_back(command.name);
    return wrong(given.text + "wants one of: " + join(names, ", "));
  }
  if (!left.empty()) return wrong("'" + printable(left.front(), 60) + "' is one word too many");
  const std::string said = error.what();
  // What has its place, and no dashes, is called as in the help.
  constexpr std::string_view missing = " is required";
  if (said.ends_with(missing) && !said.starts_with('-'))
    return wrong(upper(said.substr(0, said.size() - missing.size())) + std::string(missing));
  // CLI11 tells a missing value by its type, and counts those that are too many.
  if (said.ends_with(" missing")) return wrong(said.substr(0, said.find(':')) + " wants a value");
  if (said.find(": At Most 1 ") != std::string::npos)
    return wrong(said.substr(0, said.find(':')) + " is given more than once");
  return wrong(said);
}

bool takes_next_word(const std::string& option, const CommandLine& line) {
  for (const auto& argument : line.arguments) {
    const auto names = split(argument.name, ',');
    if (std::find(names.begin(), names.end(), option) != names.end())
      return !std::holds_alternative<bool*>(argument.into) &&
             !std::holds_alternative<std::optional<bool>*>(argument.into);
  }
  return false;
}

using Words = std::vector<std::string>;

/// The next word from there on that is neither an option of these lines nor an option's value.
Words::iterator next_value(Words::iterator from, Words::iterator end,
                           std::initializer_list<const CommandLine*> lines) {
  for (; from != end && from->starts_with('-'); ++from)
    if (std::any_of(lines.begin(), lines.end(),
                    [&](const auto* line) { return takes_next_word(*from, *line); }) &&
        std::next(from) != end)
      ++from;
  return from;
}

/// Where a command runs another program, the words behind "--" are that program's: CLI11 would take
/// them for ours. Error: usage, where a program seems to be named and "--" is not.
Result<void> take_program(const CommandLine& program, Words& words) {
  const auto dashes = std::find(words.begin(), words.end(), "--");
  const auto name = next_value(words.begin(), dashes, {&program});
  const auto command = std::find_if(
      program.commands.begin(), program.commands.end(),
      [&](const auto& each) { return each.runs && name != dashes && each.name == *name; });
  if (command == program.commands.end()) return {};
  if (dashes != words.end()) {
    command->runs->assign(dashes + 1, words.end());
    words.erase(dashes, words.end());
    return {};
  }
  const auto first = next_value(name + 1, dashes, {&program, &*command});
  if (first == dashes) return {};
  const auto second = next_value(first + 1, dashes, {&program, &*command});
  if (second == dashes) return {};
  return Error{ErrorCode::usage, "no program is named behind --",
               "put -- in front of the program, for example: " + program.name + " " +
                   command->name + " " + printable(*first, 60) + " -- " + printable(*second, 60) +
                   (second + 1 == dashes ? "" : " …")};
}

}  // namespace

Result<std::optional<std::string>> parse_arguments(const CommandLine& program,
                                                   std::vector<std::string> words) {
  NEXUS_CHECK(take_program(program, words));
  const auto defaults = defaults_of(program);
  CLI::App app{program.summary, program.name};
  declare(app, program);
  try {
    std::reverse(words.begin(), words.end());  // CLI11 takes them from the back
    app.parse(std::move(words));
  } catch (const CLI::CallForHelp&) {
    const auto given = commands_given(app, program);
    if (const auto word = unknown_command(app, given)) return no_command(*word, given);
    return std::optional(help_text(program, *given.line, std::string(trim(given.text)), defaults));
  } catch (const CLI::CallForVersion&) {
    return std::optional(program.version + "\n");
  } catch (const CLI::ParseError& error) {
    return explain(error, app, program);
  }
  const auto given = commands_given(app, program);
  NEXUS_CHECK(check_values(*given.app, *given.line));
  return std::optional<std::string>();
}

}  // namespace nexus
