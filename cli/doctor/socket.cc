// The control socket: who is at the other end, or why nobody is.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli/doctor/checks.h"
#include "cli/doctor/processes.h"
#include "common/local_http.h"
#include "common/text.h"

namespace nexus::cli::doctor {
namespace {

std::string directory_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

Findings answers_at(const api::DaemonStatus& daemon, const std::string& expected) {
  Findings found;
  struct stat about {};
  // A group that may is one whom whoever made the socket for a service manager has let in.
  if (stat(daemon.socket.c_str(), &about) == 0 && (about.st_mode & 07) != 0)
    found.push_back(warning(daemon.socket + " is open to other users, whom nexusd refuses",
                            "run: chmod o= " + shell_quote(daemon.socket)));
  if (daemon.socket != expected)
    found.push_back(
        note("nexusd answers at " + daemon.socket + ", which it has recorded, not at " + expected,
             "to have one place for all shells, set socket under [daemon] in "
             "nexus.toml"));
  return or_ok(std::move(found), "nexusd answers at " + daemon.socket);
}

/// Who called listen(2); 0 where that cannot be told.
pid_t listener_at(const std::string& socket) {
  const auto fd = connect_local({socket}, std::chrono::milliseconds(500));
  ucred peer{};
  socklen_t size = sizeof peer;
  if (!fd || getsockopt(fd->get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return 0;
  return peer.pid;
}

Finding silent_at(const std::string& socket) {
  const auto daemons = own_daemons();
  const auto listener = listener_at(socket);
  for (const auto& each : daemons) {
    // A service manager listens for the one that it starts.
    if (each.pid != listener && daemons.size() > 1) continue;
    const auto name = "nexusd (pid " + std::to_string(each.pid) + ") at " + socket;
    if (each.state == 'T' || each.state == 't')
      return failure(name + " is stopped", "run: kill -CONT " + std::to_string(each.pid));
    return failure(
        name + " does not answer: it hangs",
        "run: nexus daemon restart; if that does not help: kill -9 " + std::to_string(each.pid));
  }
  return failure("what listens at " + socket + " does not answer",
                 "end it (ss -xlp shows who it is), then run: nexus daemon start");
}

Finding absent_at(const Scene& scene) {
  const auto& socket = scene.config.socket;
  struct stat about {};
  const auto directory = directory_of(socket);
  if (lstat(socket.c_str(), &about) != 0) {
    if (errno == EACCES || errno == ENOTDIR)
      return failure(
          socket + " cannot be reached: " + std::strerror(errno),
          "make " + directory + " a directory of yours (chmod 700), or set NEXUS_SOCKET");
    if (scene.starts_daemon)
      return note("no nexusd runs; the next command starts one", "or run: nexus daemon start");
    return failure("no nexusd runs, and commands may not start one (NEXUS_NO_AUTOSTART)",
                   "run: nexus daemon start");
  }
  if (!S_ISSOCK(about.st_mode))
    return failure(socket + " is no socket, so nexusd cannot listen there",
                   "move it away, or set NEXUS_SOCKET to another place");
  if (about.st_uid != geteuid())
    return failure(socket + " belongs to another user (uid " + std::to_string(about.st_uid) + ")",
                   "set NEXUS_SOCKET to a place of your own");
  const auto left = socket + " is left over: the nexusd that listened there was killed";
  return scene.starts_daemon
             ? note(left, "the next command starts another one; or run: nexus daemon start")
             : failure(left, "run: nexus daemon start");
}

}  // namespace

Findings check_socket(const Scene& scene) {
  const auto& socket = scene.config.socket;
  if (socket.size() >= sizeof(sockaddr_un::sun_path))
    return {failure("the socket's path is too long: " + socket,
                    "set NEXUS_SOCKET to a path of at most 107 characters")};
  const auto& daemon = scene.daemon.get();
  if (daemon) return answers_at(*daemon, socket);
  const auto& error = daemon.error();
  if (error.code != ErrorCode::daemon_unreachable) return {failure(error)};
  return {is_absent(error) ? absent_at(scene) : silent_at(socket)};
}

}  // namespace nexus::cli::doctor
