#pragma once

#include <string>

#include "common/arguments.h"

namespace nexus {

/// What --help prints for a command (or the program itself, which is its own line then), as
/// "nexus provider add", within 80 columns.
std::string help_text(const CommandLine& program, const CommandLine& line,
                      const std::string& called);

}  // namespace nexus
