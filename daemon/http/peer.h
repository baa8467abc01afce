#pragma once

#include <sys/socket.h>

#include "daemon/caller.h"

namespace nexus::http {

/// Who is at the other end of an accepted socket, as the kernel tells it: the user, the process
/// and its groups on a Unix socket (SO_PEERCRED, SO_PEERGROUPS), the address elsewhere.
Caller peer_of(int fd, Caller::Via via, const sockaddr_storage& address);

}  // namespace nexus::http
