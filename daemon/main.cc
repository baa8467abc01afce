// nexusd: flags, configuration, signals and life in the background.
#include <malloc.h>
#include <signal.h>
#include <sodium.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/arguments.h"
#include "common/config.h"
#include "common/paths.h"
#include "common/secret.h"
#include "common/socket_record.h"
#include "common/standard_streams.h"
#include "common/version.h"
#include "daemon/daemon.h"
#include "daemon/ephemeral.h"
#include "daemon/http/sockets.h"
#include "daemon/log.h"
#include "daemon/process.h"
#include "daemon/wiping_heap.h"

namespace nexus {
namespace {

struct Arguments {
  ConfigFlags config;
  bool foreground = false;
  bool ephemeral = false;
  bool check = false;
};

int signal_descriptor() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

/// All of nexus.toml has to be right: a daemon does not guess what was meant.
Result<Config> settings_of(const Arguments& arguments) {
  NEXUS_TRY(auto config, load_config(arguments.config));
  if (!config.flaws.empty()) return config.flaws.front();
  return config;
}

Result<void> check(const Arguments& arguments) {
  if (arguments.ephemeral || arguments.foreground)
    return Error{ErrorCode::usage, "--check starts nothing",
                 "leave --ephemeral and --foreground out"};
  settle_home();
  NEXUS_TRY(const auto config, settings_of(arguments));
  return check_config(config);
}

void reload(const Arguments& arguments) {
  const auto config = settings_of(arguments);
  if (!config) return log(LogLevel::error, "reload_refused", {{"error", config.error().message}});
  set_log_level(config->log_level);
  log(LogLevel::info, "reloaded", {{"file", config->file}});
}

/// Ends the loop on a signal; SIGHUP reads the configuration again.
void watch_signals(int signals, Daemon& daemon, const Arguments& arguments) {
  daemon.reactor().watch(signals, EPOLLIN, [signals, &daemon, &arguments](std::uint32_t) {
    signalfd_siginfo signal{};
    if (read(signals, &signal, sizeof signal) != sizeof signal) return;
    if (signal.ssi_signo == SIGHUP) return reload(arguments);
    log(LogLevel::info, "stopping", {{"signal", std::to_string(signal.ssi_signo)}});
    notify_service_manager("STOPPING=1");
    daemon.stop();
  });
}

void tell_ready(const Config& config, const Daemon& daemon) {
  if (!secret_memory_locked())
    log(LogLevel::warn, "memory_not_locked",
        {{"hint", "secrets may be swapped out; raise RLIMIT_MEMLOCK"}});
  log(LogLevel::info, "ready",
      {{"version", kVersion},
       {"socket", config.socket},
       {"data_dir", config.data_dir},
       {"gateway", daemon.facts().gateway},
       {"key_source", daemon.facts().key_source}});
}

void end(Daemon& daemon) {
  const bool finished = daemon.finish();
  log(LogLevel::info, "stopped", {{"unfinished", finished ? "no" : "yes"}});
  // A provider that keeps an exchange waiting does not keep the daemon: what is stored is safe as
  // after any sudden end, and nothing below may be destroyed under a running worker.
  if (!finished) _exit(0);
}

Result<void> serve(const Arguments& arguments, Config config, Background& background) {
  set_log_level(config.log_level);
  const int signals = signal_descriptor();  // before any thread: they inherit the mask
  NEXUS_CHECK(prepare_data_dir(config.data_dir));
  NEXUS_TRY([[maybe_unused]] const int lock, lock_data_dir(config.data_dir));
  NEXUS_TRY(auto foundations, open_foundations(config));
  NEXUS_TRY(int socket, http::inherited_socket());
  const bool own_socket = socket < 0;
  if (own_socket) {
    NEXUS_TRY(socket, http::listen_on_unix_socket(config.socket));
  }
  config.socket = http::path_of(socket);
  Daemon daemon(config, std::move(foundations));
  watch_signals(signals, daemon, arguments);
  NEXUS_CHECK(daemon.start(socket));
  // Without the record only those find it who have the same environment: no reason not to serve.
  if (const auto recorded = record_socket(config.data_dir, config.socket); !recorded)
    log(LogLevel::warn, "address_not_recorded", {{"error", recorded.error().message}});
  tell_ready(config, daemon);
  NEXUS_CHECK(background.ready());
  notify_service_manager("READY=1");
  daemon.check_databases();
  daemon.reactor().run();
  // One that was passed on goes on listening, and starts the next daemon.
  if (own_socket) {
    forget_socket(config.data_dir);
    unlink(config.socket.c_str());
  }
  end(daemon);
  return {};
}

/// What a daemon that keeps nothing lives for, listens in and begins with.
struct Job {
  StartedBy started_by;
  BundleVariables variables;
  SocketDirectory directory;

  static Result<Job> take() {
    NEXUS_TRY(auto variables, BundleVariables::take());
    NEXUS_TRY(auto started_by, StartedBy::find());
    NEXUS_TRY(auto directory, SocketDirectory::make());
    return Job{std::move(started_by), std::move(variables), std::move(directory)};
  }
};

/// Nothing that was not asked for: the settings of this user's other nexusd are not this one's.
Result<Config> settings_in_memory(Arguments& arguments, const Job& job) {
  auto& flags = arguments.config;
  if (!flags.socket.empty() || !flags.data_dir.empty())
    return Error{ErrorCode::usage, "--ephemeral has a socket of its own and no data directory",
                 "leave --socket and --data-dir out"};
  const bool has_file = !flags.file.empty() || !environment("NEXUS_CONFIG").empty();
  if (!has_file) flags.file = "/dev/null";
  flags.socket = job.directory.socket();
  NEXUS_TRY(auto config, settings_of(arguments));
  if (!has_file) config.log_level = "warn";  // its log is the job's stderr
  config.data_dir.clear();
  return config;
}

Result<void> serve_in_memory(const Arguments& arguments, const Config& config, Job& job,
                             Background& background) {
  set_log_level(config.log_level);
  const int signals = signal_descriptor();
  NEXUS_TRY(auto foundations, make_foundations_in_memory(config));
  Daemon daemon(config, std::move(foundations));
  if (const auto variables = std::move(job.variables); variables.bundle) {
    NEXUS_TRY(const auto taken,
              daemon.take_in(variables.bundle->expose(),
                             {variables.private_key.copy(), variables.passphrase.copy()}));
    if (const auto warning = loss_to_come(taken); !warning.empty())
      log(LogLevel::warn, "refresh_token_will_be_lost", {{"warning", warning}});
  }
  NEXUS_TRY(const int socket, http::listen_on_unix_socket(config.socket));
  watch_signals(signals, daemon, arguments);
  auto& reactor = daemon.reactor();
  WatchId parent{};
  parent = reactor.watch(job.started_by.descriptor(), EPOLLIN, [&](std::uint32_t) {
    reactor.unwatch(parent);
    log(LogLevel::info, "stopping", {{"cause", "who started it has ended"}});
    daemon.stop();
  });
  NEXUS_CHECK(daemon.start(socket));
  tell_ready(config, daemon);
  NEXUS_CHECK(background.ready(shell_code_for(config.socket)));
  notify_service_manager("READY=1");
  reactor.run();
  job.directory.remove();
  end(daemon);
  return {};
}

int run(int argc, char** argv) {
  occupy_standard_streams();
  close_descriptors_from(http::first_not_passed_on());
  wipe_what_libraries_free();
  Arguments arguments;
  const CommandLine program{
      .name = "nexusd",
      .summary = "nexusd keeps connections to providers and hands out short-lived credentials",
      .arguments = {{"--foreground", &arguments.foreground,
                     "stay in the foreground and log to stderr"},
                    {"--ephemeral", &arguments.ephemeral,
                     "keep nothing: in memory, for as long as the script that starts it"},
                    {"--check", &arguments.check,
                     "say what is wrong with the settings, and do nothing else"},
                    {"--config", &arguments.config.file, "nexus.toml to read", {.value = "FILE"}},
                    {"--socket", &arguments.config.socket, "control socket", {.value = "PATH"}},
                    {"--data-dir", &arguments.config.data_dir,
                     "where vault and audit log are kept"}},
      .footer = "nexus.toml(5) has the settings. `nexus daemon start` starts it for you.",
      .version = std::string("nexusd ") + kVersion};
  const auto parsed = parse_arguments(program, {argv + 1, argv + argc});
  if (!parsed) {
    Background().failed(parsed.error(), arguments.ephemeral ? shell_code_for(parsed.error()) : "");
    return parsed.error().exit_code();
  }
  if (!*parsed) return 0;

  Background background;
  const auto fail = [&](const Error& error) {
    background.failed(error, arguments.ephemeral ? shell_code_for(error) : "");
    return error.exit_code();
  };
  harden_process();
  if (const auto enough = check_limits(); !enough) return fail(enough.error());
  // Two arenas are plenty for a loop and a few workers; the default is eight a core.
  mallopt(M_ARENA_MAX, 2);
  if (sodium_init() < 0)
    return fail({ErrorCode::failure, "libsodium cannot be initialised", "check the system"});
  if (arguments.check) {
    const auto checked = check(arguments);
    return checked ? 0 : fail(checked.error());
  }
  if (arguments.ephemeral) {
    auto job = Job::take();
    if (!job) return fail(job.error());
    const auto config = settings_in_memory(arguments, *job);
    if (!config) return fail(config.error());
    if (!arguments.foreground) {
      auto entered = Background::enter("", shell_code_for(Error{}));
      if (!entered) return fail(entered.error());
      background = *entered;
    }
    const auto served = serve_in_memory(arguments, *config, *job, background);
    return served ? 0 : fail(served.error());
  }
  settle_home();
  auto config = settings_of(arguments);
  if (!config) return fail(config.error());
  if (!config->socket_is_named) config->socket = own_default_socket(config->data_dir);
  if (!arguments.foreground) {
    if (const auto prepared = prepare_data_dir(config->data_dir); !prepared)
      return fail(prepared.error());
    auto entered = Background::enter(config->data_dir + "/nexusd.log");
    if (!entered) return fail(entered.error());
    background = *entered;
  }
  const auto served = serve(arguments, *std::move(config), background);
  return served ? 0 : fail(served.error());
}

}  // namespace
}  // namespace nexus

int main(int argc, char** argv) {
  return nexus::run(argc, argv);
}
