#include "daemon/serving.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <functional>
#include <vector>

#include "common/descriptor.h"
#include "common/directories.h"
#include "common/paths.h"
#include "common/secret_pages.h"
#include "common/socket_record.h"
#include "common/version.h"
#include "daemon/backup/restore.h"
#include "daemon/groups.h"
#include "daemon/http/passed_sockets.h"
#include "daemon/http/socket_group.h"
#include "daemon/http/sockets.h"
#include "daemon/locked_daemon.h"
#include "daemon/log.h"
#include "daemon/sandbox.h"

namespace nexus {
namespace {

int signal_descriptor() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

void reload(const ConfigFlags& flags) {
  const auto config = settings_of(flags);
  if (!config) return log(LogLevel::error, "reload_refused", {{"error", config.error().message}});
  set_log_level(config->log_level);
  log(LogLevel::info, "reloaded", {{"file", config->file}});
}

/// With the service manager, which has the next nexusd take them over when it restarts this one,
/// and forgets them when it does not. The control socket is its own.
void leave_sockets() {
  std::vector<Descriptor> sockets = http::listening_sockets();
  std::vector<int> of_tcp;
  for (const auto& socket : sockets)
    if (http::is_tcp(socket.get())) of_tcp.push_back(socket.get());
  if (!of_tcp.empty()) notify_service_manager("FDSTORE=1\nFDNAME=tcp", of_tcp);
}

/// What ends on a signal: a nexusd, or one that waits for its vault's key.
struct Serving {
  Reactor& reactor;
  std::function<void()> stop;
};

/// Ends the loop on a signal; SIGHUP reads the configuration again.
WatchId watch_signals(int signals, const Serving& serving, const ConfigFlags& flags) {
  return serving.reactor.watch(
      signals, EPOLLIN, [signals, stop = serving.stop, &flags](std::uint32_t) {
        signalfd_siginfo signal{};
        if (read(signals, &signal, sizeof signal) != sizeof signal) return;
        if (signal.ssi_signo == SIGHUP) return reload(flags);
        log(LogLevel::info, "stopping", {{"signal", std::to_string(signal.ssi_signo)}});
        notify_service_manager("STOPPING=1");
        leave_sockets();
        stop();
      });
}

Serving serving(Daemon& daemon) {
  return {daemon.reactor(), [&daemon] { daemon.stop_for_good(); }};
}

void tell_ready(const Config& config, const Sandbox& sandbox, KeySource key_source, bool locked) {
  if (!secret_memory_locked())
    log(LogLevel::warn, "memory_not_locked",
        {{"hint", "secrets may be swapped out; raise RLIMIT_MEMLOCK"}});
  log(LogLevel::info, "ready",
      {{"version", kVersion},
       {"socket", config.socket},
       {"data_dir", config.data_dir},
       {"gateway", config.gateway.listen},
       {"landlock", std::to_string(sandbox.landlock)},
       {"seccomp", sandbox.seccomp ? "yes" : "no"},
       {"key_source", word(key_source)},
       {"locked", locked ? "yes" : "no"}});
}

/// False: a provider that keeps an exchange waiting does not keep the daemon. What is stored is
/// safe as after any sudden end, and nothing may be destroyed under a running worker.
bool finish(Daemon& daemon) {
  const bool finished = daemon.finish();
  log(LogLevel::info, "stopped", {{"unfinished", finished ? "no" : "yes"}});
  return finished;
}

struct ControlSocket {
  int fd = -1;
  bool is_own = false;  ///< to be removed in the end
};

Result<ControlSocket> control_socket(const Config& config, const Beginning& beginning,
                                     const std::optional<gid_t>& members) {
  if (beginning.passed_socket < 0) {
    NEXUS_TRY(const int fd, http::listen_on_unix_socket(config.socket, members));
    return ControlSocket{fd, true};
  }
  const auto path = http::path_of(beginning.passed_socket);
  const bool is_own = beginning.handover && beginning.handover->owns_socket;
  if (is_own) NEXUS_CHECK(http::give_socket(path, members));
  if (!is_own && members) NEXUS_CHECK(http::check_passed_socket(path, *members));
  return ControlSocket{beginning.passed_socket, is_own};
}

/// To whoever waits for this nexusd, once.
struct Announcing {
  const Config& config;
  const Sandbox& sandbox;
  Background& background;
};
Result<void> announce(const Announcing& to, KeySource key_source, bool locked) {
  const auto& config = to.config;
  // Without the record only those find it who have the same environment: no reason not to serve.
  if (const auto recorded = record_socket(config.data_dir, config.socket); !recorded)
    log(LogLevel::warn, "address_not_recorded", {{"error", recorded.error().message}});
  tell_ready(config, to.sandbox, key_source, locked);
  NEXUS_CHECK(to.background.ready());
  // What it was given back is in use again, or closed.
  notify_service_manager("READY=1\nFDSTOREREMOVE=1\nFDNAME=tcp");
  return {};
}

/// For the nexusd that has the key: whoever calls meanwhile waits.
void keep_tcp_sockets(std::vector<Descriptor> sockets) {
  std::vector<int> kept;
  for (auto& socket : sockets) kept.push_back(socket.release());
  [[maybe_unused]] const auto adopted = http::adopt_sockets(kept);
}

/// Until somebody gives the vault's key; nothing where it is told to stop before.
Result<std::optional<LockedDaemon::Opened>> wait_for_key(const ConfigFlags& flags,
                                                         const Announcing& to, int socket,
                                                         int signals, const Handover* handover) {
  NEXUS_TRY(auto vault, look_at_locked_vault(to.config));
  if (handover && handover->locked) vault.source = *handover->locked;
  const auto source = vault.source;
  LockedDaemon locked(to.config, std::move(vault), to.sandbox);
  watch_signals(signals, {locked.reactor(), [&locked] { locked.stop(); }}, flags);
  NEXUS_CHECK(locked.listen(fcntl(socket, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)));
  NEXUS_CHECK(announce(to, source, true));
  locked.reactor().run();
  auto opened = locked.opened();
  if (opened) keep_tcp_sockets(std::move(opened->sockets));
  return opened;
}

/// From here on it opens, calls and runs what a nexusd has to, and no more.
Result<Sandbox> confine(const Config& config, Beginning& beginning, const ControlSocket& socket) {
  if (auto& left = beginning.handover; left && left->sandbox.is_on()) {
    stay_in_sandbox(std::move(left->child_helper));
    return left->sandbox;
  }
  // What is not there cannot be allowed; where it cannot be made, it is done without.
  if (const auto state = default_state_dir(); !state.empty()) [[maybe_unused]]
    const auto made = make_directories(state, "set XDG_STATE_HOME");
  const auto end = socket.is_own ? config.socket.rfind('/') : 0;
  return enter_sandbox(config, beginning.launch.directory, config.socket.substr(0, end));
}

/// What a CI system has put into the environment.
Result<void> take_bundle(Daemon& daemon) {
  NEXUS_TRY(const auto variables, BundleVariables::take());
  if (!variables.bundle) return {};
  NEXUS_TRY(const auto taken,
            daemon.take_in(variables.bundle->expose(),
                           {variables.private_key.copy(), variables.passphrase.copy()}));
  if (const auto warning = loss_to_come(taken); !warning.empty())
    log(LogLevel::warn, "refresh_token_will_be_lost", {{"warning", warning}});
  return {};
}

}  // namespace

Result<Config> settings_of(const ConfigFlags& flags) {
  NEXUS_TRY(auto config, load_config(flags));
  if (!config.flaws.empty()) return config.flaws.front();
  return config;
}

void hand_over(const Daemon::Succession& to, const Launch& launch) {
  const auto error = hand_over(to.program, launch, to.left);
  log(LogLevel::error, "not_restarted", {{"error", error.message}});
}

Result<Job> Job::take() {
  NEXUS_TRY(auto started_by, StartedBy::find());
  NEXUS_TRY(auto directory, SocketDirectory::make());
  return Job{std::move(started_by), std::move(directory)};
}

Result<std::optional<Daemon::Succession>> serve(const ConfigFlags& flags, Config config,
                                                Beginning& beginning, Background& background) {
  set_log_level(config.log_level);
  const int signals = signal_descriptor();  // before any thread: they inherit the mask
  NEXUS_CHECK(prepare_data_dir(config.data_dir));
  auto* handover = beginning.handover ? &*beginning.handover : nullptr;
  NEXUS_TRY(auto lock,
            lock_data_dir(config.data_dir, handover ? std::move(handover->lock) : Descriptor(-1)));
  // In the sandbox no file goes from one directory to another.
  if (!handover) NEXUS_CHECK(settle_backups(config.data_dir));
  NEXUS_TRY(const auto members, group_of_members(config.access.group));
  NEXUS_TRY(const auto socket, control_socket(config, beginning, members));
  config.socket = http::path_of(socket.fd);
  NEXUS_TRY(const auto sandbox, confine(config, beginning, socket));
  const auto remove_socket = [&] {
    // One that was passed on goes on listening, and starts the next daemon.
    if (!socket.is_own) return;
    forget_socket(config.data_dir);
    unlink(config.socket.c_str());
  };
  const bool stays_locked = handover && handover->locked;
  auto foundations = stays_locked ? Error{ErrorCode::vault_locked, ""} : open_foundations(config);
  if (!foundations && foundations.error().code != ErrorCode::vault_locked) {
    if (socket.is_own) unlink(config.socket.c_str());
    return foundations.error();
  }
  const Announcing announcing{config, sandbox, background};
  std::optional<LockedDaemon::Opened> opened;
  if (!foundations) {
    NEXUS_TRY(opened, wait_for_key(flags, announcing, socket.fd, signals, handover));
    if (!opened) {
      remove_socket();
      log(LogLevel::info, "stopped", {{"unfinished", "no"}});
      return std::optional<Daemon::Succession>();
    }
    foundations = std::move(opened->foundations);
  }
  const auto key_source = foundations->key_source;
  Daemon daemon(config, *std::move(foundations), sandbox);
  daemon.allow_succession(beginning.launch);
  watch_signals(signals, serving(daemon), flags);
  NEXUS_CHECK(
      daemon.start(socket.fd, handover ? std::move(handover->proxy) : api::ProxyListener::Left{}));
  if (opened) {
    daemon.tell_unlocked(opened->wrong, opened->opener);
    log(LogLevel::info, "unlocked", {{"key_source", word(key_source)}});
  } else {
    NEXUS_CHECK(announce(announcing, key_source, false));
  }
  daemon.check_databases();
  daemon.reactor().run();
  if (!daemon.has_successor()) remove_socket();
  const bool finished = finish(daemon);
  auto succession = daemon.succession();
  if (succession) {
    succession->left.owns_socket = socket.is_own;
    succession->left.child_helper = child_helper_to_leave();
    succession->left.sandbox = sandbox;
    succession->left.lock = std::move(lock);
  }
  if (!finished) {
    if (succession) hand_over(*succession, beginning.launch);
    _exit(succession ? 1 : 0);
  }
  return succession;
}

Result<void> serve_in_memory(const ConfigFlags& flags, const Config& config, Job& job,
                             const Beginning& beginning, Background& background) {
  set_log_level(config.log_level);
  const int signals = signal_descriptor();
  NEXUS_TRY(const int socket, http::listen_on_unix_socket(config.socket));
  NEXUS_TRY(const auto sandbox,
            enter_sandbox(config, beginning.launch.directory, job.directory.path()));
  NEXUS_TRY(auto foundations, make_foundations_in_memory(config));
  Daemon daemon(config, std::move(foundations), sandbox);
  NEXUS_CHECK(take_bundle(daemon));
  watch_signals(signals, serving(daemon), flags);
  auto& reactor = daemon.reactor();
  WatchId parent{};
  parent = reactor.watch(job.started_by.descriptor(), EPOLLIN, [&](std::uint32_t) {
    reactor.unwatch(parent);
    log(LogLevel::info, "stopping", {{"cause", "who started it has ended"}});
    daemon.stop();
  });
  NEXUS_CHECK(daemon.start(socket));
  tell_ready(config, sandbox, KeySource::memory, false);
  NEXUS_CHECK(background.ready(shell_code_for(config.socket)));
  notify_service_manager("READY=1");
  reactor.run();
  job.directory.remove();
  if (!finish(daemon)) _exit(0);
  return {};
}

}  // namespace nexus
