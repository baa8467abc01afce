#pragma once

#include <sys/types.h>

#include <string>

#include "common/descriptor.h"
#include "common/error.h"

namespace nexus::cli {

/// A program of ours that runs beside this one, in a process group of its own, with our ends of the
/// pipes on its standard input and output. It ends when it finds its input at an end.
struct PipedProgram {
  pid_t child;
  Descriptor to;
  Descriptor from;
};

/// Its environment has no variables of nexus. Error: failure, where it is not installed.
Result<PipedProgram> start_piped(const std::string& name);

/// How it ended, as waitpid(2) tells it.
int wait_for(pid_t child);

}  // namespace nexus::cli
