#pragma once

#include <sys/types.h>

#include "daemon/child_program.h"

namespace nexus {

/// What becomes a child's standard streams.
struct ChildStreams {
  int input;
  int output;
  int said;
};

/// As a child of this process. 0, or the error of the system.
int start_child(const ChildProgram& program, const ChildStreams& streams, pid_t& child);

}  // namespace nexus
