#include "daemon/http/sockets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "common/directories.h"
#include "common/paths.h"
#include "common/text.h"
#include "daemon/http/passed_sockets.h"
#include "daemon/http/socket_group.h"
#include "daemon/sandbox.h"

namespace nexus::http {
namespace {

Error refuse(const std::string& what, const std::string& hint) {
  return {ErrorCode::failure, what, hint};
}

/// Members of a group that may call need to get there, and nothing else.
Result<void> prepare_directory(const std::string& directory, const std::optional<gid_t>& group) {
  const std::string mend = "choose another place with --socket or NEXUS_SOCKET";
  NEXUS_CHECK(make_directory(directory, mend));
  struct stat about {};
  if (lstat(directory.c_str(), &about) != 0 || !S_ISDIR(about.st_mode) || about.st_uid != geteuid())
    return refuse(directory + " is not a directory of this user", mend);
  const mode_t open_to = group && about.st_gid == *group ? 050 : 0;
  if ((about.st_mode & 077 & ~open_to) != 0)
    return refuse("other users can enter " + directory, "run: chmod 700 " + shell_quote(directory));
  return {};
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

/// Removes a socket that nobody listens on; refuses anything else that is in the way.
Result<void> clear_stale(const std::string& path, const sockaddr_un& address) {
  struct stat about {};
  if (lstat(path.c_str(), &about) != 0) return {};
  if (!S_ISSOCK(about.st_mode) || about.st_uid != geteuid())
    return refuse(path + " is in the way and is not a socket of this user",
                  "remove it, or choose another place with --socket");
  const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool alive =
      connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(probe);
  if (alive) return refuse("another nexusd listens on " + path, "stop it with: nexus daemon stop");
  unlink(path.c_str());
  return {};
}

int bind_tcp(const std::string& host, int port, int* error) {
  sockaddr_storage storage{};
  socklen_t size = 0;
  if (host.starts_with('[')) {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
    v6.sin6_family = AF_INET6;
    inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &v6.sin6_addr);
    v6.sin6_port = htons(static_cast<std::uint16_t>(port));
    size = sizeof v6;
  } else {
    auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
    v4.sin_family = AF_INET;
    inet_pton(AF_INET, host.c_str(), &v4.sin_addr);
    v4.sin_port = htons(static_cast<std::uint16_t>(port));
    size = sizeof v4;
  }
  const int fd = socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (storage.ss_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (fd >= 0 && bind(fd, reinterpret_cast<const sockaddr*>(&storage), size) == 0 &&
      listen(fd, 1024) == 0)
    return fd;
  *error = errno;
  if (fd >= 0) close(fd);
  return -1;
}

}  // namespace

Result<int> listen_on_unix_socket(const std::string& path, const std::optional<gid_t>& group) {
  if (path.size() >= sizeof(sockaddr_un::sun_path) || !path.starts_with('/'))
    return refuse("the socket's path has to be absolute and at most 107 characters: " + path,
                  "choose another place with --socket or NEXUS_SOCKET");
  NEXUS_CHECK(prepare_directory(path.substr(0, path.rfind('/')), group));
  const auto address = address_of(path);
  NEXUS_CHECK(clear_stale(path, address));
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const auto old_mask = umask(0177);
  const bool bound = fd >= 0 &&
                     bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                     listen(fd, 1024) == 0;
  const int error = errno;
  umask(old_mask);
  const auto given = bound ? give_socket(path, group) : Result<void>();
  if (bound && given) return fd;
  if (fd >= 0) close(fd);
  if (!given) unlink(path.c_str());
  if (!given) return given.error();
  return refuse("cannot listen on " + path + ": " + std::strerror(error),
                "choose another place with --socket or NEXUS_SOCKET");
}

std::string path_of(int socket) {
  sockaddr_un address{};
  socklen_t size = sizeof address;
  getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  return {address.sun_path, strnlen(address.sun_path, sizeof address.sun_path)};
}

std::optional<gid_t> group_of(int socket) {
  struct stat about {};
  if (stat(path_of(socket).c_str(), &about) != 0 || (about.st_mode & S_IWGRP) == 0) return {};
  return about.st_gid;
}

Result<int> free_port(const std::string& host) {
  int error = 0;
  const int fd = bind_tcp(host == "localhost" ? "127.0.0.1" : host, 0, &error);
  if (fd < 0)
    return Error{ErrorCode::callback_unavailable,
                 "no port is free: " + std::string(std::strerror(error)),
                 "stop a program that listens"};
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  const bool known = getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) == 0;
  close(fd);
  if (!known) return Error{ErrorCode::callback_unavailable, "no port is free", ""};
  return ntohs(storage.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(storage).sin6_port
                                             : reinterpret_cast<sockaddr_in&>(storage).sin_port);
}

Result<std::vector<ListeningSocket>> listen_on_tcp(
    const ListenAddress& address, const std::string& setting,
    const std::function<bool(const std::string&)>& held) {
  std::vector<std::string> hosts{address.host};
  if (address.host == "localhost") hosts = {"127.0.0.1", "[::1]"};
  std::vector<ListeningSocket> sockets;
  for (const auto& one : hosts) {
    const auto text = ListenAddress{one, address.port}.text();
    if (held && held(text)) continue;
    int error = 0;
    int fd = take_passed_socket(text);
    if (fd < 0) fd = bind_tcp(one, address.port, &error);
    if (fd >= 0) {
      sockets.push_back({text, fd});
      continue;
    }
    const bool no_ipv6 = address.host == "localhost" && one == "[::1]" &&
                         (error == EAFNOSUPPORT || error == EADDRNOTAVAIL);
    if (no_ipv6) continue;
    for (const auto& open : sockets) close(open.fd);
    const auto holder = error == EADDRINUSE ? holder_of_port(address.port) : std::string();
    return Error{ErrorCode::callback_unavailable,
                 "cannot listen on " + text + ": " +
                     (holder.empty() ? std::strerror(error) : holder + " holds the port"),
                 error == EADDRINUSE
                     ? (holder.empty() ? "stop the program that holds the port (ss -ltnp shows it)"
                                       : "stop it") +
                           std::string(", or set another ") + setting + " in nexus.toml"
                     : "set " + setting + " in nexus.toml to an address of this machine"};
  }
  return sockets;
}

}  // namespace nexus::http
