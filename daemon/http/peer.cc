#include "daemon/http/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace nexus::http {
namespace {

std::string address_text(const sockaddr_storage& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* bytes = nullptr;
  if (address.ss_family == AF_INET) {
    bytes = &reinterpret_cast<const sockaddr_in&>(address).sin_addr;
  } else if (address.ss_family == AF_INET6) {
    bytes = &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  }
  if (!bytes || !inet_ntop(address.ss_family, bytes, text.data(), text.size())) return {};
  return text.data();
}

}  // namespace

Caller peer_of(int fd, Caller::Via via, const sockaddr_storage& address) {
  Caller caller;
  caller.via = via;
  if (via != Caller::Via::control_socket) {
    caller.peer = address_text(address);
    return caller;
  }
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0) {
    caller.uid = peer.uid;
    caller.pid = peer.pid;
  }
  return caller;
}

bool is_peer_in_group(int fd, gid_t group) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.gid == group) return true;
  size = 0;
  // Without room for them the kernel says how much they take.
  getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, nullptr, &size);
  std::vector<gid_t> groups(size / sizeof(gid_t));
  if (groups.empty() || getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) != 0)
    return false;
  return std::find(groups.begin(), groups.end(), group) != groups.end();
}

}  // namespace nexus::http
