#include "daemon/daemon.h"

#include <algorithm>

#include "common/id.h"
#include "daemon/api/forwarding.h"
#include "daemon/api/members.h"
#include "daemon/http/passed_sockets.h"
#include "daemon/http/responses.h"
#include "daemon/http/sockets.h"
#include "daemon/log.h"
#include "daemon/process.h"

namespace nexus {
namespace {

using namespace std::chrono_literals;

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
  for (auto* response : responses) {
    if (response->audit.empty()) continue;
    http::drop_streams(*response);
    *response = http::error_response(committed.error());
  }
}

std::optional<api::CallbackSockets::Gateway> callback_on(
    const std::optional<api::Gateway::Settings>& gateway) {
  if (!gateway) return std::nullopt;
  return api::CallbackSockets::Gateway{gateway->address, gateway->callback_is_https};
}

/// Tells the person's own program, where there is one.
RefreshLedger::OnAttention tell(AttentionHook& hook, const Config& config) {
  if (config.on_attention.empty()) return {};
  return [&hook](const ConnectionRow& row, const std::string& cause) { hook.tell(row, cause); };
}

api::DaemonFacts facts_of(const Config& config, const Foundations& foundations,
                          const Sandbox& sandbox, UnixTime now) {
  const auto& gateway = foundations.gateway;
  return {.socket = config.socket,
          .data_dir = config.data_dir,
          .lock_after_minutes = config.vault.lock_after_minutes,
          .lock_on_suspend = config.vault.lock_on_suspend,
          .landlock = sandbox.landlock,
          .seccomp = sandbox.seccomp,
          .gateway = gateway ? gateway->url() : "",
          .callback = config.callback_base_url + config.callback_path,
          .callback_on_gateway = gateway && gateway->has_callback,
          .started_at = now};
}

}  // namespace

constexpr Daemon::Patience Daemon::kStop{6s, 3s};
/// Nobody waits for a lock as for an end: a token that a provider is about to answer with is kept.
constexpr Daemon::Patience Daemon::kLock{20s, 20s};
/// The machine waits for 5 s at the most, and takes the network down.
constexpr Daemon::Patience Daemon::kSleep{1s, 1500ms};

Daemon::Daemon(const Config& config, Foundations foundations, const Sandbox& sandbox)
    : foundations_(std::move(foundations)),
      store_(*foundations_.store),
      vault_(*foundations_.vault),
      clock_(forward_now),
      audit_(*foundations_.audit_log, system_now),
      last_use_(clock_()),
      root_keys_(store_, foundations_.key_places, foundations_.key_source, foundations_.root_key),
      trust_(store_, foundations_.suspicion),
      backups_(*foundations_.audit_log, root_keys_, audit_, system_now),
      refusals_(audit_, due_, clock_),
      audit_retention_(*foundations_.audit_log, audit_, due_, config.audit, clock_, system_now),
      streaming_({config.proxy, config.ca_file}),
      server_(reactor_, [this](auto& responses) { before_send(responses); },
              {.connections = most_clients()}),
      network_workers_(64),
      disk_workers_(4),
      askers_(8),
      integrity_(config.data_dir, store_, *foundations_.audit_log),
      rotation_(*foundations_.vault, root_keys_, audit_, disk_workers_),
      http_(make_http_client({config.proxy, config.ca_file})),
      metadata_(*http_, system_now),
      redirect_uris_(config.callback_base_url, config.callback_path, api::is_own_path),
      connection_permits_(store_),
      providers_(store_, vault_, metadata_, *http_, system_now),
      registry_(store_, vault_, providers_, connection_permits_, metadata_, audit_, due_,
                redirect_uris_, clock_, system_now),
      plans_(registry_, providers_),
      downscoped_(vault_),
      use_gate_(disk_workers_, askers_, config.access.prompt, sleep_check_, clock_),
      hook_(config.on_attention, network_workers_, clock_),
      ledger_(store_, audit_, due_, tell(hook_, config), clock_, system_now,
              config.refresh_idle_days * 86400),
      revocations_(store_, vault_, providers_, audit_, due_, clock_),
      refresh_(vault_, providers_, metadata_, ledger_, downscoped_, revocations_, clock_),
      refresher_(store_, refresh_, ledger_, downscoped_, network_workers_, clock_),
      tokens_(store_, vault_, providers_, refresher_, downscoped_, use_gate_, clock_),
      forwarder_(tokens_, providers_, connection_permits_, streaming_, foundations_.rules,
                 system_now),
      moves_(store_, connection_permits_, audit_, refresher_, ledger_, due_, clock_, system_now),
      bundle_exporter_(store_, vault_, providers_, audit_, moves_, system_now),
      bundle_importer_(store_, vault_, registry_, audit_, moves_, due_, clock_, system_now),
      // The sockets and what answers there need each other: the loop runs when both are there.
      callback_sockets_(server_, config.callback_path, callback_on(foundations_.gateway),
                        [this](http::Request request, http::Respond respond) {
                          callback_pages_.handle(std::move(request), std::move(respond));
                        }),
      flows_(store_, vault_, audit_, refusals_, callback_sockets_, due_, foundations_.return_urls,
             {config.limits.pending, config.limits.pending_per_key}, clock_, system_now),
      activation_(store_, vault_, connection_permits_, metadata_, due_, clock_, system_now),
      code_flow_(providers_, redirect_uris_, activation_, flows_, audit_, clock_),
      device_flow_(providers_, activation_, flows_, audit_, network_workers_, clock_),
      captures_(providers_, activation_, flows_, *http_, audit_, system_now,
                config.callback_base_url),
      outcomes_(clock_),
      unattended_grants_(providers_, activation_, flows_, audit_, clock_),
      requests_(providers_, foundations_.return_urls, code_flow_, device_flow_, captures_,
                unattended_grants_),
      connections_(store_, providers_, connection_permits_, audit_, revocations_, downscoped_, due_,
                   clock_, system_now),
      provider_checks_(providers_, metadata_, redirect_uris_, *http_, flows_),
      provider_reaches_(providers_, *http_, system_now),
      limits_(config.limits),
      callback_pages_(callback_sockets_, code_flow_, captures_, outcomes_, refusals_,
                      limits_.callback, network_workers_),
      api_keys_(store_, vault_, audit_, due_, disk_workers_, clock_, system_now,
                config.gateway.environment_keys),
      proxy_(foundations_.proxy, reactor_, services_, refusals_,
             [this, network = NetworkSettings{config.proxy, config.ca_file}] {
               return std::make_unique<api::ProxyLane>(
                   network, [this](auto& responses) { before_send(responses); }, tokens_,
                   providers_, connection_permits_, foundations_.rules, system_now);
             }),
      services_{store_,
                integrity_,
                providers_,
                registry_,
                plans_,
                provider_checks_,
                provider_reaches_,
                redirect_uris_,
                connections_,
                requests_,
                code_flow_,
                captures_,
                device_flow_,
                tokens_,
                use_gate_,
                forwarder_,
                moves_,
                bundle_exporter_,
                bundle_importer_,
                api_keys_,
                proxy_,
                audit_,
                refusals_,
                reactor_,
                network_workers_,
                disk_workers_,
                vault_,
                root_keys_,
                rotation_,
                trust_,
                backups_,
                limits_,
                clock_,
                facts_of(config, foundations_, sandbox, clock_())},
      refresh_scheduler_(store_, refresher_, due_, disk_workers_, clock_),
      revocation_scheduler_(store_, revocations_, due_, network_workers_, clock_),
      flow_expiry_(
          Due::What::flow_expiry, [this] { flows_.sweep(); }, due_, disk_workers_, clock_),
      refusals_told_(
          Due::What::refusals, [this] { refusals_.tell(); }, due_, disk_workers_, clock_),
      audit_pruning_(
          Due::What::audit_retention, [this] { audit_retention_.sweep(); }, due_, disk_workers_,
          clock_),
      key_expiry_(
          Due::What::key_expiry, [this] { api_keys_.sweep(); }, due_, disk_workers_, clock_) {
  if (foundations_.gateway) gateway_.emplace(*foundations_.gateway, callback_pages_, services_);
}

void Daemon::listen_on_control_socket(int socket) {
  const auto refused = [this](const Caller& caller) {
    auto record = refusals_.note(AuditEvent::peer_refused, caller,
                                 "a process of uid " + std::to_string(caller.uid));
    if (!record) return;
    log(LogLevel::warn, "peer_refused", {{"uid", std::to_string(caller.uid)}});
    disk_workers_.submit(
        [this, record = *std::move(record)] { static_cast<void>(audit_.commit({record})); });
  };
  server_.listen(socket,
                 {.via = Caller::Via::control_socket,
                  .same_user_only = true,
                  .members = api::members_at(socket, foundations_.members),
                  .keep_alive = true,
                  .on_refused = refused,
                  .passes_on = api::passes_on(services_)},
                 api::control_socket_handler(services_));
}

Result<void> Daemon::start(int control_socket, api::ProxyListener::Left left) {
  audit_.tell_trouble();
  NEXUS_CHECK(api_keys_.load());
  listen_on_control_socket(control_socket);
  if (gateway_) NEXUS_CHECK(gateway_->open(server_));
  NEXUS_CHECK(proxy_.start(std::move(left)));
  NEXUS_CHECK(send_when_trusted());
  flow_expiry_.start(reactor_);
  refusals_told_.start(reactor_);
  audit_pruning_.start(reactor_);
  key_expiry_.start(reactor_);
  audit_retention_.start();
  if (const auto resumed = flows_.resume(); !resumed)
    log(LogLevel::warn, "callback_not_resumed", {{"error", resumed.error().message}});
  http::close_passed_sockets();
  return {};
}

/// Nothing is sent by itself that a provider may take for stolen, or that ends a grant which has
/// been renewed since.
Result<void> Daemon::send_when_trusted() {
  const auto suspicion = trust_.suspicion();
  if (suspicion.empty()) return send_by_itself();
  log(LogLevel::error, "vault_suspected",
      {{"found", suspicion}, {"hint", "see nexusd(8), DAMAGE"}});
  NEXUS_CHECK(audit_.commit(
      {.event = AuditEvent::vault_suspected, .outcome = AuditOutcome::failure, .detail = suspicion},
      Caller{}));
  trust_.on_acceptance([this] {
    reactor_.post([this] {
      if (const auto begun = send_by_itself(); !begun)
        log(LogLevel::error, "scheduler_failed", {{"error", begun.error().message}});
    });
  });
  return {};
}

Result<void> Daemon::send_by_itself() {
  NEXUS_CHECK(refresh_scheduler_.start(reactor_));
  return revocation_scheduler_.start(reactor_);
}

void Daemon::before_send(std::vector<http::Response*>& responses) {
  // Whatever is handed out is on record: what is not was no use of a credential.
  if (std::ranges::any_of(responses, [](const auto* each) { return !each->audit.empty(); }))
    last_use_ = clock_();
  commit_audit(audit_, responses);
}

void Daemon::allow_succession(const Launch& launch) {
  services_.restart = [this, &launch](const std::string& program) {
    return restart(launch, program);
  };
  services_.lock = [this](const Caller& caller) { return lock_as_asked(caller); };
  if (const auto minutes = services_.facts.lock_after_minutes) lock_when_idle(minutes * 60);
  if (services_.facts.lock_on_suspend) lock_on_suspend();
}

void Daemon::tell_unlocked(int wrong, const Caller& caller) {
  const auto detail = wrong == 0 ? "" : "after " + std::to_string(wrong) + " that did not open it";
  const auto told = audit_.commit({.event = AuditEvent::vault_unlocked, .detail = detail}, caller);
  if (!told) log(LogLevel::error, "audit_failed", {{"error", told.error().message}});
}

/// On a worker: the program is run first to see whether it would start.
Result<void> Daemon::restart(const Launch& launch, const std::string& program) {
  NEXUS_CHECK(ledger_.check_nothing_kept());
  NEXUS_CHECK(check_successor(program, launch));
  reactor_.post([this, program] {
    if (succession_ || for_good_) return;
    log(LogLevel::info, "restarting", {{"program", program}});
    succession_ = Succession{program, {.sockets = http::listening_sockets()}};
    stop();
  });
  return {};
}

Result<void> Daemon::lock_as_asked(const Caller& caller) {
  NEXUS_CHECK(ledger_.check_nothing_kept());
  NEXUS_CHECK(audit_.commit({.event = AuditEvent::vault_locked}, caller));
  lock("it was asked to", kLock);
  return {};
}

/// The loop's thread. Error: there is what only its memory has.
Result<void> Daemon::lock_by_itself(const char* why, const Patience& patience) {
  if (succession_ || for_good_) return {};
  NEXUS_CHECK(ledger_.check_nothing_kept());
  const auto told = audit_.commit({.event = AuditEvent::vault_locked, .detail = why}, Caller{});
  if (!told) log(LogLevel::error, "audit_failed", {{"error", told.error().message}});
  lock(why, patience);
  return {};
}

/// The next one in this process has none of what is in its memory now: it is executed anew.
void Daemon::lock(const char* why, const Patience& patience) {
  reactor_.post([this, why, patience] {
    if (succession_ || for_good_) return;
    log(LogLevel::info, "locking", {{"cause", why}});
    succession_ = Succession{own_program(),
                             {.sockets = http::listening_sockets(), .locked = root_keys_.source()}};
    patience_ = patience;
    stop();
  });
}

/// Time asleep counts, so one that was left alone that long in a laptop's bag locks on waking up.
void Daemon::lock_when_idle(UnixTime after_s) {
  const auto left = last_use_ + after_s - clock_();
  if (left > 0) {
    reactor_.after(std::chrono::seconds(left), [this, after_s] { lock_when_idle(after_s); });
    return;
  }
  if (!lock_by_itself("nobody has used it for a while", kLock))
    reactor_.after(std::chrono::minutes(1), [this, after_s] { lock_when_idle(after_s); });
}

void Daemon::lock_on_suspend() {
  lock_on_suspend_.emplace(reactor_, sleep_check_,
                           [this](const char* why) { return lock_by_itself(why, kSleep); });
  services_.suspend_trouble = [this] { return lock_on_suspend_->trouble(); };
  lock_on_suspend_->start();
}

std::optional<Daemon::Succession> Daemon::succession() {
  if (!succession_) return std::nullopt;
  auto& left = succession_->left;
  left.proxy = proxy_.leave();
  // The machine may sleep when this one is no more, and not before.
  if (lock_on_suspend_) left.machine_waits_for = lock_on_suspend_->leave();
  // Of a vault that is to be locked it is told where the key came from last, and not the key.
  if (left.locked)
    left.locked = root_keys_.source();
  else
    left.root_key = std::move(foundations_.root_key);
  return std::move(succession_);
}

void Daemon::stop() {
  const auto under_way = std::make_shared<int>(2);
  const auto drained = [this, under_way] {
    if (--*under_way == 0) reactor_.stop();
  };
  server_.drain(patience_.requests, drained);
  proxy_.drain(patience_.requests, drained);
}

void Daemon::stop_for_good() {
  for_good_ = true;
  succession_.reset();
  patience_ = kStop;
  stop();
}

bool Daemon::finish() {
  streaming_.stop();  // its answers lead to everything below
  proxy_.stop();
  audit_.stop();
  rotation_.stop();
  audit_retention_.stop();
  refresh_scheduler_.stop();
  revocation_scheduler_.stop();
  flow_expiry_.stop();
  refusals_told_.stop();
  audit_pruning_.stop();
  key_expiry_.stop();
  const bool answered = askers_.drain(1s);  // whose answers lead to the others
  const bool finished = network_workers_.drain(patience_.workers) && disk_workers_.drain(1s);
  refusals_.tell_all();
  return answered && finished;
}

}  // namespace nexus
