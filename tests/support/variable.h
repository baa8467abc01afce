#pragma once

#include <cstdlib>
#include <string>

#include "common/paths.h"

namespace nexus::test {

/// A variable of the environment, for one test.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name), before_(environment(name)) {
    setenv(name, value.c_str(), 1);
  }
  ~Variable() {
    if (before_.empty()) unsetenv(name_);
    if (!before_.empty()) setenv(name_, before_.c_str(), 1);
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::string before_;
};

}  // namespace nexus::test
