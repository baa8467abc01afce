#pragma once

#include "common/error.h"

namespace nexus {

/// From now on this thread, those that it makes and its children have the system calls that a
/// nexusd needs (seccomp). Others are answered as a kernel does that does not know them (ENOSYS):
/// libraries take another way then. What only an intruder calls ends the process (SIGSYS). It
/// cannot be taken back. Error: failure where the kernel refuses.
Result<void> confine_system_calls();

}  // namespace nexus
