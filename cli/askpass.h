#pragma once

#include <string>

#include "common/error.h"
#include "common/secret.h"

namespace nexus::cli {

/// A secret that a program asks a person for: it gets the question as its argument and prints the
/// answer on a line, as ssh-askpass and its like do. Waits for it, with the terminal for it to use.
/// Errors: command_not_found, interrupted where it ends otherwise than with 0 (somebody has said
/// no), usage for what is no secret.
Result<Secret> ask_by_program(const std::string& program, const std::string& question);

}  // namespace nexus::cli
