#include "cli/exec/child_variables.h"

#include "cli/child_environment.h"

namespace nexus::cli {

Result<void> ChildVariables::set(const std::string& name, std::string_view value,
                                 const std::string& source) {
  if (value.find('\0') != std::string_view::npos)
    return Error{ErrorCode::usage, "what " + source + " gives cannot be in the environment",
                 "give it in a file: --file " + name + "=CONN"};
  auto& variable = given_[name];
  if (!variable.assignment.empty())
    return Error{ErrorCode::usage, name + " is given by " + variable.source + " and by " + source,
                 "give one of them another variable: --env OTHER_NAME=CONN"};
  variable.source = source;
  variable.assignment.append(name).append("=").append(value);
  return {};
}

std::vector<char*> ChildVariables::list() {
  std::vector<char*> all;
  for (char* variable : environment_for(ChildKind::other)) {
    if (!variable) break;
    const std::string_view text = variable;
    if (given_.find(text.substr(0, text.find('='))) == given_.end()) all.push_back(variable);
  }
  for (auto& [name, variable] : given_)
    if (!variable.assignment.empty()) all.push_back(variable.assignment.data());
  all.push_back(nullptr);
  return all;
}

}  // namespace nexus::cli
