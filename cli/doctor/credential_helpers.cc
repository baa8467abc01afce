// What nexus credential setup wrote: that the programs find what they are to ask.
#include <nlohmann/json.hpp>

#include "cli/credential/file_change.h"
#include "cli/credential/tool_files.h"
#include "cli/doctor/checks.h"
#include "cli/program_path.h"
#include "common/text.h"

namespace nexus::cli::doctor {
namespace {

using Json = nlohmann::json;

/// The value of `name = value`, "" for other lines.
std::string value_of(const std::string& line, std::string_view name) {
  const auto equals = line.find('=');
  if (equals == std::string::npos || trim(std::string_view(line).substr(0, equals)) != name)
    return {};
  return std::string(trim(std::string_view(line).substr(equals + 1)));
}

std::string first_word(const std::string& text) {
  return text.substr(0, text.find(' '));
}

/// The programs that a configuration names, as far as they are ours.
using Programs = std::vector<std::string>;

/// `helper = nexus …` means git-credential-nexus; a path means itself.
Programs in_git(const std::string& text) {
  Programs programs;
  for (const auto& line : split(text, '\n')) {
    const auto program = first_word(value_of(line, "helper"));
    if (program == "nexus") programs.push_back("git-credential-nexus");
    if (program.starts_with('/') && program.ends_with("/git-credential-nexus"))
      programs.push_back(program);
  }
  return programs;
}

Programs in_docker(const std::string& text) {
  const auto config = Json::parse(text, nullptr, false);
  const auto helpers = config.is_object() ? config.find("credHelpers") : config.end();
  if (!config.is_object() || helpers == config.end() || !helpers->is_object()) return {};
  for (const auto& helper : *helpers)
    if (helper == "nexus") return {"docker-credential-nexus"};
  return {};
}

Programs in_aws(const std::string& text) {
  Programs programs;
  for (const auto& line : split(text, '\n')) {
    const auto command = value_of(line, "credential_process");
    if (command.find(" credential aws ") != std::string::npos)
      programs.push_back(first_word(command));
  }
  return programs;
}

}  // namespace

Findings check_credential_helpers(const Scene&) {
  struct Tool {
    const char* name = "";
    Result<std::string> file;
    Programs (*programs)(const std::string& text) = nullptr;
  };
  Findings faults;
  std::vector<std::string> asking;
  for (const auto& tool :
       {Tool{"git", git_file(), in_git}, Tool{"docker", docker_file(), in_docker},
        Tool{"aws", aws_file(), in_aws}}) {
    const auto text = tool.file ? text_if_any(*tool.file) : Result<std::string>("");
    if (!text) continue;  // its own program says so
    const auto programs = tool.programs(*text);
    if (!programs.empty()) asking.emplace_back(tool.name);
    for (const auto& program : programs)
      if (!can_be_run(program))
        faults.push_back(failure(
            std::string(tool.name) + " is to ask " + program + " (" + *tool.file + "), which is " +
                (program.starts_with('/') ? "not there" : "not on the PATH"),
            "put the bin directory of Nexus on the PATH, or take it back: nexus credential setup " +
                std::string(tool.name) + " PLACE --undo"));
  }
  return or_ok(std::move(faults), asking.empty() ? "git, docker and aws do not ask nexus"
                                                 : join(asking, ", ") + ": found what they ask");
}

}  // namespace nexus::cli::doctor
