#include "cli/client.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "cli/at_daemon.h"
#include "cli/child_environment.h"
#include "cli/confirmation.h"
#include "cli/program_path.h"
#include "cli/remote.h"
#include "cli/spawn_attributes.h"
#include "common/api/daemon_status.h"
#include "common/api/error.h"
#include "common/printed_error.h"
#include "common/text.h"
#include "common/version.h"

namespace nexus::cli {
namespace {

Error error_of_daemon(std::string_view said, int exit_code) {
  auto error = printed_error(said, exit_code)
                   .value_or(Error{ErrorCode::daemon_unreachable, "", "try: nexusd --foreground"});
  error.message.insert(0, error.message.empty() ? "the daemon could not be started"
                                                : "the daemon could not be started: ");
  if (error.hint.empty()) error.hint = "try: nexusd --foreground";
  return error;
}

Result<LocalResponse> ask_daemon(const Config& config, std::string_view method,
                                 const std::string& target, std::string_view body,
                                 std::chrono::milliseconds patience,
                                 std::string_view confirmation = {}) {
  return at_daemon(config, [&](const LocalSocket& socket) {
    return local_request(socket, method, target, body, patience, {}, confirmation);
  });
}

/// The socket of a daemon that serves others: one of our own in its place would help nobody.
std::optional<Error> kept_out(const Config& config) {
  if (!config.socket_is_named || access(config.socket.c_str(), W_OK) == 0 || errno != EACCES)
    return {};
  return Error{ErrorCode::access_denied, "you may not use " + config.socket,
               "join the group that may (ls -l shows it, nexusd(8) tells more), or unset "
               "NEXUS_SOCKET to have a daemon of your own"};
}

/// Runs `nexusd`, which returns when the daemon is ready. Errors: daemon_unreachable, or what
/// nexusd said on stderr (its exit code is kept).
Result<void> start_daemon(const Config& config) {
  auto program = program_path("nexusd");
  if (program.empty()) program = "nexusd";  // the PATH is searched
  std::vector<std::string> words{program};
  // Without a HOME it asks the password database, which a static program cannot.
  if (!config.data_dir.empty()) words.insert(words.end(), {"--data-dir", config.data_dir});
  // Else it has the choice: what XDG_RUNTIME_DIR names here may be another user's.
  if (config.socket_is_named) words.insert(words.end(), {"--socket", config.socket});
  if (access(config.file.c_str(), R_OK) == 0) {
    words.push_back("--config");
    words.push_back(config.file);
  }
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);

  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return Error{ErrorCode::failure, "no pipe could be made", ""};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_RDWR, 0);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);  // it outlives whoever started us
  pid_t child = 0;
  const SpawnAttributes attributes(POSIX_SPAWN_SETPGROUP);
  auto variables = environment_for(ChildKind::nexusd);
  const int failed = posix_spawnp(&child, program.c_str(), &actions, attributes.get(),
                                  arguments.data(), variables.data());
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (failed != 0) {
    close(ends[0]);
    return Error{ErrorCode::daemon_unreachable,
                 "nexusd could not be run: " + std::string(std::strerror(failed)),
                 "install nexusd beside nexus or on the PATH"};
  }
  SecretText said;
  static_cast<void>(read_all(ends[0], said));
  close(ends[0]);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
  if (code == 0) return {};
  return error_of_daemon(said, code);
}

bool is_unknown_route(ErrorCode code) {
  return code == ErrorCode::not_found || code == ErrorCode::method_not_allowed;
}

/// The way out where nexusd is of another version; nothing where it is of this one.
std::optional<std::string> mend_of_version(const Config& config,
                                           std::chrono::milliseconds patience) {
  const auto answer = ask_daemon(config, "GET", "/v1/daemon", "", patience);
  if (!answer) return {};
  const auto status = api::parse<api::DaemonStatus>(answer->body);
  if (!status || status->version == kVersion) return {};
  return "nexusd is " + printable(status->version, 40) + ", and nexus is " + kVersion +
         ": run nexus daemon restart";
}

}  // namespace

Result<SecretText> Client::call_raw(std::string_view method, const std::string& target,
                                    std::string_view body) {
  NEXUS_TRY(auto response, send(method, target, body));
  return std::move(response.body);
}

Result<LocalResponse> Client::send(std::string_view method, const std::string& target,
                                   std::string_view body, std::string_view confirmation) {
  const bool remote = !config_.url.empty();
  auto response = remote ? remote_request(config_, method, target, body)
                         : ask_daemon(config_, method, target, body, patience_, confirmation);
  if (!remote && !response && is_absent(response.error())) {
    if (auto error = kept_out(config_)) return *std::move(error);
  }
  if (!remote && !response && is_absent(response.error()) && autostart_) {
    auto started = start_daemon(config_);
    // Two commands may start it at once: whoever comes second finds the first one's daemon, which
    // may take a moment until it listens.
    for (int i = 0; i < 50; ++i) {
      response = ask_daemon(config_, method, target, body, patience_);
      if (response || !is_absent(response.error())) break;
      if (!started && started.error().code != ErrorCode::daemon_running) break;
      poll(nullptr, 0, 100);
    }
    if (!response && !started) {
      auto error = std::move(started).error();
      // It holds the data directory, and listens elsewhere.
      if (error.code == ErrorCode::daemon_running) error.code = ErrorCode::daemon_unreachable;
      return error;
    }
  }
  if (!response) return std::move(response).error();
  if (const auto act = std::exchange(on_answer_, nullptr)) act();
  if (response->status >= 400) {
    if (auto error = api::error_in(response->body)) {
      if (remote) return of_remote(*std::move(error));
      if (confirmation.empty() && !error->nonce.empty()) {
        NEXUS_CHECK(confirm_on_terminal(*error));
        return send(method, target, body, error->nonce);
      }
      if (is_unknown_route(error->code))
        if (auto mend = mend_of_version(config_, patience_)) error->hint = *std::move(mend);
      return *std::move(error);
    }
    return Error{ErrorCode::failure, "the daemon answered " + std::to_string(response->status),
                 "see: nexus daemon status"};
  }
  return response;
}

Result<void> Client::each_page(const std::string& target,
                               const std::function<Result<bool>(std::string_view page)>& use) {
  std::string cursor;
  do {
    const auto page = cursor.empty() ? target : target + "&cursor=" + percent_encode(cursor);
    NEXUS_TRY(const auto response, send("GET", page, ""));
    NEXUS_TRY(const bool more, use(response.body));
    if (!more) return {};
    cursor = response.next_cursor;
  } while (!cursor.empty());
  return {};
}

std::string Client::target(std::string_view path, std::string_view reference) const {
  std::string out(path);
  out += percent_encode(reference) + "?workspace_id=" + percent_encode(config_.workspace);
  return out;
}

}  // namespace nexus::cli
