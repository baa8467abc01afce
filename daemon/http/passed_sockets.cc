#include "daemon/http/passed_sockets.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <mutex>
#include <numeric>

#include "common/paths.h"
#include "common/text.h"

namespace nexus::http {
namespace {

constexpr int kFirst = 3;
constexpr int kMostPassedOn = 1024;

struct Kept {
  std::mutex mutex;
  std::map<std::string, int> sockets;  ///< by address
};
Kept& kept() {
  static Kept all;
  return all;
}

bool listens(int fd) {
  int listening = 0;
  socklen_t size = sizeof listening;
  return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening != 0;
}

sockaddr_storage address_of(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    address.ss_family = AF_UNSPEC;
  return address;
}

/// As ListenAddress writes it.
std::string tcp_address(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
    return std::string(text) + ":" + std::to_string(ntohs(v4.sin_port));
  }
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
  inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
  return "[" + std::string(text) + "]:" + std::to_string(ntohs(v6.sin6_port));
}

bool has_path(const sockaddr_storage& address) {
  return address.ss_family == AF_UNIX &&
         reinterpret_cast<const sockaddr_un&>(address).sun_path[0] == '/';
}

}  // namespace

std::vector<int> passed_by_service_manager() {
  const auto pid = parse_number(environment("LISTEN_PID"));
  const auto count = parse_number(environment("LISTEN_FDS"));
  for (const char* variable : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) unsetenv(variable);
  if (!pid || *pid != getpid() || !count || *count >= kMostPassedOn) return {};
  std::vector<int> passed(static_cast<std::size_t>(*count));
  std::iota(passed.begin(), passed.end(), kFirst);
  return passed;
}

Result<int> adopt_sockets(const std::vector<int>& passed) {
  int control = -1;
  for (const int fd : passed) {
    const auto address = address_of(fd);
    if (!listens(fd) || (!is_tcp(fd) && (!has_path(address) || control >= 0)))
      return Error{ErrorCode::failure, "what was passed on is not one listening Unix socket",
                   "use ListenStream= with a path in the .socket unit"};
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    if (!is_tcp(fd)) {
      control = fd;
      continue;
    }
    const std::lock_guard lock(kept().mutex);
    kept().sockets.emplace(tcp_address(address), fd);
  }
  return control;
}

int take_passed_socket(const std::string& address) {
  const std::lock_guard lock(kept().mutex);
  const auto found = kept().sockets.extract(address);
  return found ? found.mapped() : -1;
}

std::vector<int> take_passed_sockets() {
  const std::lock_guard lock(kept().mutex);
  std::vector<int> all;
  for (const auto& [address, fd] : kept().sockets) all.push_back(fd);
  kept().sockets.clear();
  return all;
}

void close_passed_sockets() {
  for (const int fd : take_passed_sockets()) close(fd);
}

bool is_tcp(int socket) {
  const auto family = address_of(socket).ss_family;
  return family == AF_INET || family == AF_INET6;
}

std::vector<Descriptor> listening_sockets() {
  std::vector<int> listening;
  if (DIR* directory = opendir("/proc/self/fd")) {
    while (const auto* entry = readdir(directory))
      if (const auto fd = parse_number(entry->d_name); fd && listens(static_cast<int>(*fd)))
        listening.push_back(static_cast<int>(*fd));
    closedir(directory);
  }
  std::vector<Descriptor> duplicates;
  for (const int fd : listening) duplicates.emplace_back(fcntl(fd, F_DUPFD_CLOEXEC, kFirst));
  return duplicates;
}

}  // namespace nexus::http
