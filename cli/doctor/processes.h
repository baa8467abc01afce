#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace nexus::cli::doctor {

/// A nexusd of this user, as /proc shows it.
struct DaemonProcess {
  pid_t pid = 0;
  char state = '?';           ///< as ps(1) has it: T for a stopped one
  bool is_ephemeral = false;  ///< of one job, beside others by design
};

std::vector<DaemonProcess> own_daemons();

/// A line of /proc/PID/status, without its name and blanks; "" where there is none.
std::string status_field(pid_t pid, const std::string& name);

}  // namespace nexus::cli::doctor
