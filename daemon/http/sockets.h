#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/error.h"
#include "daemon/http/listen_address.h"

namespace nexus::http {

/// A listening Unix socket: its directory 0700 and this user's (made when missing), itself 0600
/// from birth. With a group, both are open to its members, and to nobody else (socket_group.h). A
/// stale socket is replaced; a live one, a symlink or anything else is left alone. Errors: failure,
/// saying what is in the way.
Result<int> listen_on_unix_socket(const std::string& path, const std::optional<gid_t>& group = {});

/// Where a listening Unix socket was bound.
std::string path_of(int socket);

/// The group that may call there as well: that of a socket which its file lets a group write to, as
/// whoever made it for the service manager has said. Nothing for one of our own that no group has.
std::optional<gid_t> group_of(int socket);

/// A port that nobody listens on now, chosen by the kernel. Error: callback_unavailable.
Result<int> free_port(const std::string& host);

struct ListeningSocket {
  std::string address;  ///< "127.0.0.1:8090"
  int fd = -1;
};

/// Listening TCP sockets on an address ("localhost" is both loopback addresses), but for those that
/// `held` says are listened on already; those that were passed on are taken first. `setting` is
/// what the hint names. Error: callback_unavailable.
Result<std::vector<ListeningSocket>> listen_on_tcp(
    const ListenAddress& address, const std::string& setting,
    const std::function<bool(const std::string&)>& held = {});

}  // namespace nexus::http
