#pragma once

#include <sys/socket.h>

#include "daemon/caller.h"

namespace nexus::http {

/// Who is at the other end of an accepted socket, as the kernel tells it: the user and the process
/// on a Unix socket (SO_PEERCRED), the address elsewhere.
Caller peer_of(int fd, Caller::Via via, const sockaddr_storage& address);

/// Whether the process at the other end of a Unix socket is a member of the group, by its primary
/// or a supplementary one (SO_PEERGROUPS).
bool is_peer_in_group(int fd, gid_t group);

}  // namespace nexus::http
