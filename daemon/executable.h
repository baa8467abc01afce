#pragma once

#include <sys/types.h>

#include "common/descriptor.h"

namespace nexus {

/// The file that a process runs, opened for reading or, where it may not be read, with O_PATH; -1
/// where the kernel does not say: another user's, one that keeps it to itself, one that has ended.
Descriptor executable_of_process(pid_t pid);

}  // namespace nexus
