#include "common/help.h"

#include <algorithm>

#include "common/layout.h"
#include "common/text.h"

namespace nexus {
namespace {

constexpr std::size_t kColumns = 80;
/// Where what is explained has room for the usual option beside it.
constexpr std::size_t kLabels = 26;
/// A list of words that is longer stands in the text.
constexpr std::size_t kLongestValue = 44;

bool is_option(const Argument& argument) {
  return argument.name[0] == '-';
}

bool is_repeatable(const Argument& argument) {
  return std::holds_alternative<std::vector<std::string>*>(argument.into);
}

std::string upper(std::string text) {
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

/// What stands for an argument's value: "raw|json", "FILE", "N"; "" for a flag.
std::string value_name(const Argument& argument) {
  if (std::holds_alternative<bool*>(argument.into) ||
      std::holds_alternative<std::optional<bool>*>(argument.into))
    return {};
  const auto words = join(argument.rules.one_of, "|");
  if (words.size() > kLongestValue) return "WORD";
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
std::string label(const Argument& argument) {
  if (!is_option(argument)) return positional(argument);
  auto names = join(split(argument.name, ','), ", ");
  if (std::holds_alternative<std::optional<bool>*>(argument.into)) names.insert(2, "[no-]");
  const auto value = value_name(argument);
  return value.empty() ? names : names + " " + value;
}

std::string default_of(const Argument& argument) {
  if (const auto* text = std::get_if<std::string*>(&argument.into)) return **text;
  if (const auto* number = std::get_if<int*>(&argument.into)) return std::to_string(**number);
  return {};
}

std::string explanation(const Argument& argument) {
  std::string text = argument.help;
  const auto& words = argument.rules.one_of;
  if (!words.empty() && value_name(argument) == "WORD") text += "; one of: " + join(words, ", ");
  if (const auto usual = default_of(argument); !usual.empty()) text += " (default: " + usual + ")";
  return text;
}

/// "  label   explanation", the explanation going on below itself.
std::string entry(const std::string& label, const std::string& explanation) {
  std::string out = "  " + label;
  const bool beside = columns_of(label) + 4 <= kLabels;
  if (!beside) out += "\n";
  std::size_t used = beside ? columns_of(out) : 0;
  for (const auto& line : wrapped(explanation, kColumns - kLabels)) {
    out += std::string(kLabels - used, ' ') + line + "\n";
    used = 0;
  }
  return out;
}

std::string section(const std::string& heading, const std::string& entries) {
  return entries.empty() ? "" : "\n" + heading + ":\n" + entries;
}

/// The options under their headings, in the order in which those come first.
std::string options(const CommandLine& line) {
  std::vector<std::pair<std::string, std::string>> groups;
  for (const auto& argument : line.arguments) {
    if (!is_option(argument) || argument.rules.hidden) continue;
    const std::string heading = *argument.rules.group ? argument.rules.group : "Options";
    auto group = std::find_if(groups.begin(), groups.end(),
                              [&](const auto& each) { return each.first == heading; });
    if (group == groups.end()) group = groups.insert(groups.end(), {heading, ""});
    group->second += entry(label(argument), explanation(argument));
  }
  std::string out;
  for (const auto& [heading, entries] : groups) out += section(heading, entries);
  return out;
}

std::string global_options(const CommandLine& program) {
  std::string entries;
  for (const auto& argument : program.arguments)
    if (!argument.rules.hidden) entries += entry(label(argument), explanation(argument));
  entries += entry("-h, --help", "show this help");
  if (!program.version.empty()) entries += entry("--version", "show the version");
  return entries;
}

std::string usage(const CommandLine& line, const std::string& called) {
  std::string text = "Usage: " + called;
  if (!line.commands.empty()) return text + " COMMAND [options]\n";
  for (const auto& argument : line.arguments)
    if (!is_option(argument)) text += " " + positional(argument);
  for (const auto& argument : line.arguments)
    if (is_option(argument) && argument.rules.required) text += " " + label(argument);
  text += " [options]";
  if (line.runs) text += " -- PROGRAM [ARGUMENTS]...";
  return text + "\n";
}

}  // namespace

std::string help_text(const CommandLine& program, const CommandLine& line,
                      const std::string& called) {
  std::string commands;
  for (const auto& command : line.commands) commands += entry(command.name, command.summary);
  std::string positionals;
  for (const auto& argument : line.arguments)
    if (!is_option(argument)) positionals += entry(positional(argument), explanation(argument));
  std::string examples;
  for (const auto& example : line.examples) examples += "  " + example + "\n";

  auto text = line.summary + "\n\n" + usage(line, called);
  text += section("Commands", commands) + section("Arguments", positionals);
  if (&line != &program) text += options(line);
  if (!line.footer.empty()) text += "\n" + join(wrapped(line.footer, kColumns), "\n") + "\n";
  text += section("Examples", examples);
  if (!line.manual.empty()) text += "\n" + line.manual + " has the manual.\n";
  return text +
         section(program.commands.empty() ? "Options" : "Global options", global_options(program));
}

}  // namespace nexus
