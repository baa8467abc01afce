#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace nexus::cli::doctor {

/// What a program that only tells something says on stdout; nothing where it cannot be run, fails,
/// or has not ended within `patience`, when it is killed.
std::optional<std::string> program_output(std::vector<std::string> words,
                                          std::chrono::milliseconds patience);

}  // namespace nexus::cli::doctor
