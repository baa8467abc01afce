#include "common/help.h"

#include <algorithm>

#include "common/layout.h"
#include "common/text.h"

namespace nexus {
namespace {

/// What a help is written on: a terminal, or a page of 80 columns.
struct Sheet {
  std::size_t columns;
  const Defaults& defaults;

  bool is_narrow() const { return columns < 60; }
  /// Where what is explained has room for the usual option beside it, or stands below it.
  std::size_t labels() const { return is_narrow() ? 6 : 26; }
  /// A list of words that is longer stands in the text.
  std::size_t longest_value() const { return is_narrow() ? 20 : 44; }
};

bool is_option(const Argument& argument) {
  return argument.name[0] == '-';
}

bool is_repeatable(const Argument& argument) {
  return std::holds_alternative<std::vector<std::string>*>(argument.into);
}

/// What stands for an argument's value: "raw|json", "FILE", "N"; "" for a flag.
std::string value_name(const Argument& argument, const Sheet& sheet) {
  if (std::holds_alternative<bool*>(argument.into) ||
      std::holds_alternative<std::optional<bool>*>(argument.into))
    return {};
  auto words = join(argument.rules.one_of, "|");
  if (words.size() > sheet.longest_value()) return "WORD";
  if (!words.empty()) return words;
  if (*argument.rules.value) return argument.rules.value;
  if (std::holds_alternative<int*>(argument.into)) return "N";
  const std::string name = argument.name;
  return upper(name.substr(name.rfind('-') + 1));
}

/// "CONNECTION", "[WORDS]..."
std::string positional(const Argument& argument) {
  const auto name = upper(argument.name);
  return (argument.rules.required ? name : "[" + name + "]") +
         (is_repeatable(argument) ? "..." : "");
}

/// "--scope SCOPE", "-f, --file FILE", "--[no-]allow-insecure-http"
std::string label(const Argument& argument, const Sheet& sheet) {
  if (!is_option(argument)) return positional(argument);
  auto names = join(split(argument.name, ','), ", ");
  if (std::holds_alternative<std::optional<bool>*>(argument.into)) names.insert(2, "[no-]");
  const auto value = value_name(argument, sheet);
  return value.empty() ? names : names + " " + value;
}

std::string default_of(const Argument& argument) {
  if (const auto* text = std::get_if<std::string*>(&argument.into)) return **text;
  if (const auto* number = std::get_if<int*>(&argument.into)) return std::to_string(**number);
  return {};
}

std::string explanation(const Argument& argument, const Sheet& sheet) {
  std::string text = argument.help;
  const auto& words = argument.rules.one_of;
  if (!words.empty() && value_name(argument, sheet) == "WORD")
    text += "; one of: " + join(words, ", ");
  const auto usual = sheet.defaults.find(&argument);
  return usual == sheet.defaults.end() ? text : text + " (default: " + usual->second + ")";
}

/// "  label   explanation", the explanation going on below itself.
std::string entry(const Sheet& sheet, const std::string& label, const std::string& explanation) {
  std::string out = "  " + label;
  const bool beside = columns_of(label) + 4 <= sheet.labels();
  if (!beside) out += "\n";
  std::size_t used = beside ? columns_of(out) : 0;
  for (const auto& line : wrapped(explanation, sheet.columns - sheet.labels())) {
    out += std::string(sheet.labels() - used, ' ') + line + "\n";
    used = 0;
  }
  return out;
}

std::string section(const std::string& heading, const std::string& entries) {
  return entries.empty() ? "" : "\n" + heading + ":\n" + entries;
}

/// The options under their headings, in the order in which those come first.
std::string options(const Sheet& sheet, const CommandLine& line) {
  std::vector<std::pair<std::string, std::string>> groups;
  for (const auto& argument : line.arguments) {
    if (!is_option(argument) || argument.rules.hidden) continue;
    const std::string heading = *argument.rules.group ? argument.rules.group : "Options";
    auto group = std::find_if(groups.begin(), groups.end(),
                              [&](const auto& each) { return each.first == heading; });
    if (group == groups.end()) group = groups.insert(groups.end(), {heading, ""});
    group->second += entry(sheet, label(argument, sheet), explanation(argument, sheet));
  }
  std::string out;
  for (const auto& [heading, entries] : groups) out += section(heading, entries);
  return out;
}

std::string global_options(const Sheet& sheet, const CommandLine& program) {
  std::string entries;
  for (const auto& argument : program.arguments)
    if (!argument.rules.hidden)
      entries += entry(sheet, label(argument, sheet), explanation(argument, sheet));
  entries += entry(sheet, "-h, --help", "show this help");
  if (!program.version.empty()) entries += entry(sheet, "--version", "show the version");
  return entries;
}

/// What a command is called with.
std::string words_of(const Sheet& sheet, const CommandLine& line) {
  if (!line.commands.empty()) return line.chosen ? " [COMMAND] [options]" : " COMMAND [options]";
  std::string text;
  for (const auto& argument : line.arguments)
    if (!is_option(argument)) text += " " + positional(argument);
  for (const auto& argument : line.arguments)
    if (is_option(argument) && argument.rules.required) text += " " + label(argument, sheet);
  text += " [options]";
  if (line.runs) text += " -- PROGRAM [ARGUMENTS]...";
  return text;
}

std::string usage(const Sheet& sheet, const CommandLine& line, const std::string& called) {
  auto text = "Usage: " + called + words_of(sheet, line);
  if (columns_of(text) > sheet.columns) text = join(wrapped(text, sheet.columns - 2), "\n  ");
  return text + "\n";
}

}  // namespace

Defaults defaults_of(const CommandLine& program) {
  Defaults defaults;
  for (const auto& argument : program.arguments)
    if (auto usual = default_of(argument); !usual.empty()) defaults[&argument] = std::move(usual);
  for (const auto& command : program.commands) defaults.merge(defaults_of(command));
  return defaults;
}

std::string help_text(const CommandLine& program, const CommandLine& line,
                      const std::string& called, const Defaults& defaults) {
  const Sheet sheet{program.columns, defaults};
  std::string commands;
  for (const auto& command : line.commands) commands += entry(sheet, command.name, command.summary);
  std::string positionals;
  for (const auto& argument : line.arguments)
    if (!is_option(argument))
      positionals += entry(sheet, positional(argument), explanation(argument, sheet));
  std::string examples;
  for (const auto& example : line.examples) examples += "  " + example + "\n";

  auto text =
      join(wrapped(line.summary, sheet.columns), "\n") + "\n\n" + usage(sheet, line, called);
  text += section("Commands", commands) + section("Arguments", positionals);
  if (&line != &program) text += options(sheet, line);
  if (!line.footer.empty()) text += "\n" + join(wrapped(line.footer, sheet.columns), "\n") + "\n";
  text += section("Examples", examples);
  if (!line.manual.empty()) text += "\n" + line.manual + " has the manual.\n";
  return text + section(program.commands.empty() ? "Options" : "Global options",
                        global_options(sheet, program));
}

}  // namespace nexus
