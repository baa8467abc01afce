#include "daemon/attention_hook.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/json.h"
#include "common/paths.h"
#include "daemon/connection_errors.h"
#include "daemon/log.h"

namespace nexus {
namespace {

constexpr UnixTime kWindow = 60;
constexpr std::size_t kMostInWindow = 6;
constexpr int kPatienceMs = 10'000;

/// What programs need to reach the person's session, and nothing of ours.
std::vector<std::string> environment_for_hook() {
  std::vector<std::string> kept;
  for (const char* name : {"PATH", "HOME", "USER", "LANG", "TERM", "DISPLAY", "WAYLAND_DISPLAY",
                           "XAUTHORITY", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"})
    if (const auto value = environment(name); !value.empty())
      kept.push_back(std::string(name) + "=" + value);
  return kept;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> all;
  for (auto& word : words) all.push_back(word.data());
  all.push_back(nullptr);
  return all;
}

/// 0, or the error of the system.
int spawn(std::vector<std::string> command, int input, pid_t& child) {
  auto variables = environment_for_hook();
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, input, 0);
  posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  sigset_t all;
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  const int error = posix_spawnp(&child, command[0].c_str(), &files, &attributes,
                                 pointers(command).data(), pointers(variables).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  return error;
}

/// Waits for the child, and ends it when that takes too long.
void reap(pid_t child) {
  for (int waited = 0; waited < kPatienceMs; waited += 50) {
    if (waitpid(child, nullptr, WNOHANG) != 0) return;
    poll(nullptr, 0, 50);
  }
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

void run(const std::vector<std::string>& command, const std::string& message) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return;
  pid_t child = 0;
  const int error = spawn(command, ends[0], child);
  close(ends[0]);
  if (error != 0) {
    log(LogLevel::warn, "hook_not_run", {{"program", command[0]}, {"error", std::strerror(error)}});
  } else {
    // Less than a pipe holds: this does not wait for a reader.
    [[maybe_unused]] const auto written = write(ends[1], message.data(), message.size());
  }
  close(ends[1]);
  if (error == 0) reap(child);
}

}  // namespace

void AttentionHook::tell(const ConnectionRow& connection, const std::string& cause) {
  int left_out = 0;
  {
    const std::lock_guard lock(mutex_);
    const auto now = clock_();
    while (!runs_.empty() && runs_.front() <= now - kWindow) runs_.pop_front();
    if (runs_.size() >= kMostInWindow) {
      ++left_out_;
      return;
    }
    runs_.push_back(now);
    std::swap(left_out, left_out_);
  }
  const auto message = JsonWriter()
                           .begin()
                           .member("event", "attention_required")
                           .member("connection_id", connection.id)
                           .member("alias", connection.alias)
                           .member("provider", connection.provider_name)
                           .member("account", connection.account)
                           .member("workspace", connection.workspace)
                           .member("cause", cause)
                           .member("command", connect_in_place_of(connection))
                           .member("left_out", left_out)
                           .end()
                           .take();
  workers_.submit([command = command_, message] { run(command, message + "\n"); });
}

}  // namespace nexus
