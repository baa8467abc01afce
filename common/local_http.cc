#include "common/local_http.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/text.h"

namespace nexus {
namespace {

Error unreachable(const std::string& socket, const char* why) {
  return {ErrorCode::daemon_unreachable, "no daemon answers at " + socket + " (" + why + ")",
          "run: nexus daemon start"};
}

Error silent(const std::string& socket) {
  return {.code = ErrorCode::daemon_unreachable,
          .message = "the daemon at " + socket + " does not answer",
          .hint =
              "it is stopped, or hangs; see: ps -C nexusd -o pid,stat,args "
              "(T: stopped, go on with: kill -CONT PID)",
          .may_have_arrived = true};
}

bool has_directory_of(uid_t user, const std::string& path) {
  struct stat about {};
  return stat(path.substr(0, path.rfind('/')).c_str(), &about) == 0 && about.st_uid == user;
}

/// Secrets are said to this user's own daemon alone, whoever has put a socket there, or to that of
/// the user in whose directory the person has sent us. Root's is one that the service manager
/// listens on and passes on (SO_PEERCRED tells who called listen).
Result<void> check_server(int fd, const LocalSocket& socket) {
  ucred server{};
  socklen_t size = sizeof server;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &server, &size) == 0 &&
      (server.uid == geteuid() || server.uid == 0 ||
       (socket.is_named && has_directory_of(server.uid, socket.path))))
    return {};
  return Error{ErrorCode::access_denied,
               socket.path + " is served by another user (uid " + std::to_string(server.uid) + ")",
               "set NEXUS_SOCKET to the socket of your own daemon; see: nexus daemon status"};
}

/// What is received, or sent, gives up after so long without progress.
void set_patience(int fd, int direction, std::chrono::microseconds patience) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(patience);
  const timeval wait{seconds.count(), (patience - seconds).count()};
  setsockopt(fd, SOL_SOCKET, direction, &wait, sizeof wait);
}

/// False where that time is over.
bool wait_at_most(int fd, std::chrono::steady_clock::time_point until) {
  const auto left =
      std::chrono::floor<std::chrono::microseconds>(until - std::chrono::steady_clock::now());
  if (left.count() <= 0) return false;
  set_patience(fd, SO_RCVTIMEO, left);
  return true;
}

bool send_all(int fd, std::string_view data) {
  while (!data.empty()) {
    const auto sent = send(fd, data.data(), data.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return false;
    data.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

}  // namespace

Result<Descriptor> connect_local(const LocalSocket& local, std::chrono::milliseconds patience) {
  const auto& socket = local.path;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket.size() >= sizeof address.sun_path)
    return Error{ErrorCode::usage, "the socket's path is too long: " + socket,
                 "set NEXUS_SOCKET to a path of at most 107 characters"};
  std::memcpy(address.sun_path, socket.c_str(), socket.size() + 1);
  Descriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  set_patience(fd.get(), SO_SNDTIMEO, patience);  // of connect(2), too
  set_patience(fd.get(), SO_RCVTIMEO, patience);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    NEXUS_CHECK(check_server(fd.get(), local));
    return fd;
  }
  if (errno == EAGAIN) return silent(socket);  // a full queue that nobody accepts from
  return unreachable(socket, std::strerror(errno));
}

namespace {

/// Its loop answers this at once, whatever else is in progress.
bool is_alive(const LocalSocket& socket, std::chrono::milliseconds patience) {
  const auto fd = connect_local(socket, patience);
  if (!fd || !send_all(fd->get(), "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")) return false;
  char first = 0;
  return recv(fd->get(), &first, 1, 0) == 1;
}

/// The daemon always sends Content-Length and always in this spelling.
std::int64_t content_length(std::string_view head) {
  constexpr std::string_view name = "\r\nContent-Length: ";
  const auto at = head.find(name);
  if (at == std::string_view::npos) return -1;
  const auto value = head.substr(at + name.size());
  return parse_number(value.substr(0, value.find('\r'))).value_or(-1);
}

/// nexusd writes the name so, and nobody else is at the other end.
std::string next_cursor(std::string_view head) {
  constexpr std::string_view name = "\r\nX-Next-Cursor: ";
  const auto at = head.find(name);
  if (at == std::string_view::npos) return {};
  const auto value = head.substr(at + name.size());
  return std::string(value.substr(0, value.find('\r')));
}

}  // namespace

Result<LocalResponse> local_request(const LocalSocket& local, std::string_view method,
                                    std::string_view target, std::string_view body,
                                    std::chrono::milliseconds patience,
                                    std::optional<std::chrono::steady_clock::time_point> until,
                                    std::string_view confirmation) {
  const auto& socket = local.path;
  NEXUS_TRY(const auto fd, connect_local(local, patience));
  SecretText request;
  request.reserve(256 + body.size());
  request.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: localhost\r\n");
  if (!body.empty() || method == "POST") {
    request.append("Content-Type: application/json\r\nContent-Length: ");
    request.append(std::to_string(body.size())).append("\r\n");
  }
  if (!confirmation.empty())
    request.append("X-Nexus-Confirmation: ").append(confirmation).append("\r\n");
  request.append("Connection: close\r\n\r\n").append(body);
  // A daemon that refuses the request early may close before it has read everything: its answer is
  // worth more than the failed write.
  send_all(fd.get(), request);

  SecretText answer;
  answer.resize(4 * 1024);
  std::size_t size = 0;
  std::size_t head_end = std::string_view::npos;
  std::size_t expected = std::string_view::npos;
  while (size < expected) {
    if (until && !wait_at_most(fd.get(), *until)) return silent(socket);
    if (size == answer.size()) answer.resize(answer.size() * 4);
    const auto got = recv(fd.get(), answer.data() + size, answer.size() - size, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) {
      if (!until && !is_alive(local, patience)) return silent(socket);
      continue;
    }
    if (got <= 0) break;
    size += static_cast<std::size_t>(got);
    if (head_end == std::string_view::npos) {
      const std::string_view so_far(answer.data(), size);
      head_end = so_far.find("\r\n\r\n");
      if (head_end == std::string_view::npos) continue;
      const auto length = content_length(so_far.substr(0, head_end + 2));
      if (length >= 0) expected = head_end + 4 + static_cast<std::size_t>(length);
    }
  }
  if (size == 0) return unreachable(socket, "it closed the connection");
  const auto status = parse_number(std::string_view(answer).substr(9, 3));
  if (head_end == std::string_view::npos || size < expected || !answer.starts_with("HTTP/1.1 ") ||
      !status)
    return Error{ErrorCode::failure, "what answers at " + socket + " is not nexusd",
                 "stop that program, or set NEXUS_SOCKET"};
  LocalResponse response;
  response.status = static_cast<int>(*status);
  response.next_cursor = next_cursor(std::string_view(answer).substr(0, head_end + 2));
  response.body.assign(answer, head_end + 4, size - head_end - 4);
  return response;
}

bool is_absent(const Error& error) {
  return error.code == ErrorCode::daemon_unreachable && !error.may_have_arrived;
}

}  // namespace nexus
