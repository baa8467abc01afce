#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "common/secret.h"

namespace nexus::cli {

/// The environment of a program that is started with credentials: ours without what is nexus's own,
/// and the variables that it is given.
class ChildVariables {
 public:
  /// `source` is what brings it, for the error when two bring the same. Error: usage.
  Result<void> set(const std::string& name, std::string_view value, const std::string& source);
  /// That it is not there unless it is given, whatever ours has: what belongs to another credential
  /// would be taken together with this one.
  void leave_out(const std::string& name) { given_.try_emplace(name); }

  /// For execve, ended by a null pointer. It points into this and into `environ`.
  std::vector<char*> list();

 private:
  struct Variable {
    SecretText assignment;  ///< "NAME=value"; "" for one that is left out
    std::string source;
  };
  std::map<std::string, Variable, std::less<>> given_;
};

}  // namespace nexus::cli
