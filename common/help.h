#pragma once

#include <map>
#include <string>

#include "common/arguments.h"

namespace nexus {

/// What arguments are that are not given: their destinations tell it until words are read.
using Defaults = std::map<const Argument*, std::string>;
Defaults defaults_of(const CommandLine& program);

/// What --help prints for a command (or the program itself, which is its own line then), as
/// "nexus provider add", within `program.columns`.
std::string help_text(const CommandLine& program, const CommandLine& line,
                      const std::string& called, const Defaults& defaults);

}  // namespace nexus
