#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/child_environment.h"

namespace nexus::cli {

struct ProgramOutput {
  int exit_code = 0;
  std::string text{};  ///< of stdout and stderr
};

/// What a program says that only tells something; nothing where it cannot be run, or has not ended
/// within `patience`, when it is killed. `input` is all that it reads, and no more than a pipe
/// holds.
std::optional<ProgramOutput> program_output(std::vector<std::string> words,
                                            std::chrono::milliseconds patience,
                                            ChildKind kind = ChildKind::other,
                                            std::string_view input = {});

}  // namespace nexus::cli
