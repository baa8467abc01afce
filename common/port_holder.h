#pragma once

#include <string>

namespace nexus {

/// Whether somebody listens on a TCP port of this machine where loopback leads to.
bool is_listened_on(int port);

/// Who listens on a TCP port of this machine: "node (pid 4242)"; "" where that cannot be seen (the
/// processes of other users).
std::string port_holder(int port);

}  // namespace nexus
