#pragma once

#include <sys/types.h>

#include <string>

#include "common/config.h"
#include "common/descriptor.h"
#include "common/error.h"

namespace nexus {

/// What keeps a nexusd from what it does not need. It lasts as long as the process, that is for
/// whatever takes its place as well.
struct Sandbox {
  int landlock = 0;      ///< the version that it is kept from other files by; 0: by none
  bool seccomp = false;  ///< it has the system calls only that it needs

  bool is_on() const { return landlock > 0 || seccomp; }
};

/// As daemon.sandbox says: "auto" takes what the kernel has, "require" all of it, "off" nothing.
/// What the settings have it run is run by a helper then, outside of it. To be called before there
/// is a thread, and before anything secret is read. What `own_places` needs beside the settings
/// stands there. Error: failure, where "require" cannot be met.
Result<Sandbox> enter_sandbox(const Config& config, const std::string& directory,
                              const std::string& socket_directory);
/// In place of that, where a nexusd before has entered it in this process.
void stay_in_sandbox(Descriptor child_helper);
/// `port_holder`, also where the sandbox hides other processes.
std::string holder_of_port(int port);
/// `executable_of_process`, likewise.
Descriptor executable_of(pid_t pid);
/// The helper for the nexusd that comes next; -1 where there is none.
Descriptor child_helper_to_leave();

}  // namespace nexus
