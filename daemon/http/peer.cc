#include "daemon/http/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "daemon/peer_process.h"

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

/// The supplementary ones.
std::vector<gid_t> groups_of_peer(int fd) {
  std::vector<gid_t> groups(16);
  while (true) {
    const auto room = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
    auto size = room;
    const bool told = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) == 0;
    groups.resize(told || size > room ? size / sizeof(gid_t) : 0);
    // Without room for them the kernel says how much they take.
    if (told || size <= room) return groups;
  }
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
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return caller;
  caller.uid = peer.uid;
  caller.pid = peer.pid;
  auto groups = groups_of_peer(fd);
  groups.push_back(peer.gid);
  caller.process = std::make_shared<PeerProcess>(peer.pid, std::move(groups));
  return caller;
}

}  // namespace nexus::http
