// nexusd: flags, configuration, wiring, signals. The only place that knows everybody.
#include <malloc.h>
#include <signal.h>
#include <sodium.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "common/config.h"
#include "common/secret.h"
#include "common/version.h"
#include "daemon/api/callback.h"
#include "daemon/api/gateway.h"
#include "daemon/api/routes.h"
#include "daemon/attention_hook.h"
#include "daemon/http/event_loop.h"
#include "daemon/http/responses.h"
#include "daemon/http/sockets.h"
#include "daemon/log.h"
#include "daemon/net/http_client.h"
#include "daemon/process.h"
#include "daemon/scheduler/refresh_scheduler.h"
#include "daemon/scheduler/revocation_scheduler.h"
#include "daemon/vault/key_source.h"

namespace nexus {
namespace {

using namespace std::chrono_literals;

struct Arguments {
  ConfigFlags config;
  bool foreground = false;
};

struct OpenVault {
  std::unique_ptr<Store> store;
  std::unique_ptr<Vault> vault;
  std::string key_source;
};

/// The key is proved on the existing vault before anything is written.
Result<OpenVault> open_vault(const std::string& data_dir) {
  OpenVault opened;
  NEXUS_TRY(opened.store, open_sqlite_store(data_dir));
  NEXUS_TRY(const auto header, opened.store->vault_header());
  NEXUS_TRY(const auto root, load_root_key(data_dir, header.has_value()));
  opened.key_source = root.source;
  if (header) {
    NEXUS_TRY(auto vault, Vault::open(root.key, *header));
    opened.vault = std::make_unique<Vault>(std::move(vault));
  } else {
    VaultHeader fresh;
    opened.vault = std::make_unique<Vault>(Vault::create(root.key, fresh));
    NEXUS_CHECK(opened.store->put_vault_header(fresh));
  }
  return opened;
}

/// Commits the audit records of everything that is about to be sent, in one transaction. What could
/// not be recorded is not sent.
void commit_audit(Audit& audit, std::vector<http::Response*>& responses) {
  std::vector<std::string> records;
  for (auto* response : responses)
    for (auto& record : response->audit) records.push_back(std::move(record));
  if (records.empty()) return;
  const auto committed = audit.commit(records);
  if (committed) return;
  log(LogLevel::error, "audit_failed", {{"error", committed.error().message}});
  for (auto* response : responses)
    if (!response->audit.empty()) *response = http::error_response(committed.error());
}

int signal_descriptor() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

void reload(const Arguments& arguments) {
  const auto config = load_config(arguments.config);
  if (!config) return log(LogLevel::error, "reload_refused", {{"error", config.error().message}});
  set_log_level(config->log_level);
  log(LogLevel::info, "reloaded", {{"file", config->file}});
}

Result<void> serve(const Arguments& arguments, const Config& config, Background& background) {
  set_log_level(config.log_level);
  const int signals = signal_descriptor();  // before any thread: they inherit the mask
  NEXUS_CHECK(prepare_data_dir(config.data_dir));
  NEXUS_TRY([[maybe_unused]] const int lock, lock_data_dir(config.data_dir));
  NEXUS_TRY(const auto opened, open_vault(config.data_dir));
  NEXUS_TRY(const auto audit_log, open_sqlite_audit_log(config.data_dir));
  NEXUS_TRY(int socket, http::inherited_socket());
  const bool own_socket = socket < 0;
  if (own_socket) {
    NEXUS_TRY(socket, http::listen_on_unix_socket(config.socket));
  }

  const Clock clock = forward_now;
  NEXUS_TRY(const auto return_urls, ReturnUrls::make(config.gateway.return_urls));
  const auto http_client = make_http_client({config.proxy, config.ca_file});
  Audit audit(*audit_log, clock);
  http::EventLoop loop([&](auto& responses) { commit_audit(audit, responses); });
  WorkerPool network_workers(64);
  WorkerPool disk_workers(4);
  api::CallbackRoutes callback(loop, network_workers, config.callback_path);
  std::unique_ptr<api::Gateway> gateway;
  if (!config.gateway.listen.empty()) {
    NEXUS_TRY(gateway, api::Gateway::make(config, callback));
  }
  MetadataCache directory(*http_client, clock);
  Providers providers(*opened.store, *opened.vault, directory, audit, clock,
                      config.callback_base_url, config.callback_path);
  Flows flows(*opened.store, *opened.vault, audit, callback, return_urls, clock);
  ProviderPlans provider_plans(*opened.store, providers);
  ProviderChecks provider_checks(providers, directory, *http_client, flows);
  Captures captures(*opened.store, *opened.vault, providers, *http_client, audit, flows, clock,
                    config.callback_base_url);
  Activation activation(*opened.store, *opened.vault, directory, *http_client, clock);
  AuthorizationCodeFlow code_flow(*opened.store, *opened.vault, providers, activation, *http_client,
                                  audit, flows, clock);
  UnattendedGrants unattended_grants(providers, activation, *http_client, audit, flows, clock);
  DeviceFlow device_flow(*opened.store, *opened.vault, providers, activation, *http_client, audit,
                         flows, network_workers, clock);
  DownscopedTokens downscoped_tokens(*opened.vault);
  Revocations revocations(*opened.store, *opened.vault, providers, *http_client, audit, clock);
  Connections connections(*opened.store, providers, audit, flows, code_flow, captures,
                          unattended_grants, device_flow, revocations, downscoped_tokens, clock);
  callback.serve(code_flow, captures);
  Refresher refresher(*opened.store, *opened.vault, providers, directory, *http_client, audit,
                      network_workers, downscoped_tokens, revocations, clock,
                      config.refresh_idle_days * 86400);
  AttentionHook hook(config.on_attention, network_workers, clock);
  if (!config.on_attention.empty())
    refresher.on_attention(
        [&hook](const ConnectionRow& row, const std::string& cause) { hook.tell(row, cause); });
  RefreshScheduler scheduler(*opened.store, refresher, disk_workers, clock);
  RevocationScheduler revocation_scheduler(*opened.store, revocations, network_workers, clock);
  refresher.use_timer(scheduler);
  revocations.use_timer(revocation_scheduler);
  activation.use_timer(scheduler);
  providers.use_timer(scheduler);
  Tokens tokens(*opened.store, *opened.vault, providers, refresher, downscoped_tokens, clock);
  ApiKeys api_keys(*opened.store, *opened.vault, audit, clock);
  NEXUS_CHECK(api_keys.load());
  api::Limits limits(config.limits);
  api::Services services{
      *opened.store,
      providers,
      provider_plans,
      provider_checks,
      connections,
      code_flow,
      captures,
      device_flow,
      tokens,
      api_keys,
      audit,
      network_workers,
      disk_workers,
      limits,
      clock,
      {config.socket, config.data_dir, opened.key_source, gateway ? gateway->url() : "", clock()}};

  loop.listen(socket,
              {.via = Caller::Via::control_socket,
               .same_user_only = true,
               .keep_alive = true,
               .on_refused =
                   [&](const Caller& caller) {
                     log(LogLevel::warn, "peer_refused", {{"uid", std::to_string(caller.uid)}});
                     disk_workers.submit([&audit, caller] {
                       static_cast<void>(
                           audit.commit({.event = "peer_refused", .outcome = "refused"}, caller));
                     });
                   }},
              api::control_socket_handler(services));
  if (gateway) NEXUS_CHECK(gateway->open(loop, services));
  loop.set_housekeeping([&] {
    disk_workers.submit([&flows] { flows.sweep(); });
    return flows.expecting();
  });
  loop.watch(signals, [&] {
    signalfd_siginfo signal{};
    if (read(signals, &signal, sizeof signal) != sizeof signal) return;
    if (signal.ssi_signo == SIGHUP) return reload(arguments);
    log(LogLevel::info, "stopping", {{"signal", std::to_string(signal.ssi_signo)}});
    notify_service_manager("STOPPING=1");
    loop.stop();
  });
  if (const auto resumed = flows.resume(); !resumed)
    log(LogLevel::warn, "callback_not_resumed", {{"error", resumed.error().message}});
  if (!secret_memory_locked())
    log(LogLevel::warn, "memory_not_locked",
        {{"hint", "secrets may be swapped out; raise RLIMIT_MEMLOCK"}});
  log(LogLevel::info, "ready",
      {{"version", kVersion},
       {"socket", config.socket},
       {"data_dir", config.data_dir},
       {"gateway", services.facts.gateway},
       {"key_source", opened.key_source}});
  background.ready();
  notify_service_manager("READY=1");
  NEXUS_CHECK(scheduler.start(loop));
  NEXUS_CHECK(revocation_scheduler.start(loop));
  loop.run(6s);
  scheduler.stop();
  revocation_scheduler.stop();
  if (own_socket) unlink(config.socket.c_str());
  const bool finished = network_workers.drain(3s) && disk_workers.drain(1s);
  log(LogLevel::info, "stopped", {{"unfinished", finished ? "no" : "yes"}});
  // A provider that keeps an exchange waiting does not keep the daemon: what is stored is safe as
  // after any sudden end, and nothing below may be destroyed under a running worker.
  if (!finished) _exit(0);
  return {};
}

int run(int argc, char** argv) {
  CLI::App app{"nexusd keeps connections to providers and hands out short-lived credentials",
               "nexusd"};
  Arguments arguments;
  app.add_flag("--foreground", arguments.foreground, "stay in the foreground and log to stderr");
  app.add_option("--config", arguments.config.file, "nexus.toml to read");
  app.add_option("--socket", arguments.config.socket, "control socket");
  app.add_option("--data-dir", arguments.config.data_dir, "where vault and audit log are kept");
  app.set_version_flag("--version", std::string("nexusd ") + kVersion);
  app.footer("nexusd(8) describes the settings. `nexus daemon start` starts it for you.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    print_error(STDERR_FILENO, {ErrorCode::usage, error.what(), "run: nexusd --help"});
    return info(ErrorCode::usage).exit_code;
  }

  Background background;
  const auto fail = [&](const Error& error) {
    background.failed(error);
    return error.exit_code();
  };
  harden_process();
  // Two arenas are plenty for a loop and a few workers; the default is eight a core.
  mallopt(M_ARENA_MAX, 2);
  const auto config = load_config(arguments.config);
  if (!config) return fail(config.error());
  if (!arguments.foreground) {
    if (const auto prepared = prepare_data_dir(config->data_dir); !prepared)
      return fail(prepared.error());
    auto entered = Background::enter(config->data_dir + "/nexusd.log");
    if (!entered) return fail(entered.error());
    background = *entered;
  }
  if (sodium_init() < 0)
    return fail({ErrorCode::failure, "libsodium cannot be initialised", "check the system"});
  const auto served = serve(arguments, *config, background);
  return served ? 0 : fail(served.error());
}

}  // namespace
}  // namespace nexus

int main(int argc, char** argv) {
  return nexus::run(argc, argv);
}
