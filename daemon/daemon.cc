#include "daemon/daemon.h"

#include <sodium.h>

#include "common/id.h"
#include "common/regular_file.h"
#include "common/text.h"
#include "daemon/api/forwarding.h"
#include "daemon/http/responses.h"
#include "daemon/http/sockets.h"
#include "daemon/log.h"
#include "daemon/net/url.h"
#include "daemon/process.h"
#include "daemon/vault/key_source.h"
#include "daemon/vault/lost_vault.h"

namespace nexus {
namespace {

using namespace std::chrono_literals;

/// What is in progress when the daemon is told to stop may take so long.
constexpr auto kDrain = 6s;

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

/// It is opened for each provider that is asked: better told now.
Result<void> check_ca_file(const std::string& path) {
  if (path.empty() || open_regular_file(path).get() >= 0) return {};
  return Error{ErrorCode::usage, "network.ca_file " + path + " cannot be read: " + why_not_opened(),
               "name a readable file with certificates in PEM form"};
}

/// Every redirect URI begins with it, and is compared to the letter.
Result<void> check_callback_base(const std::string& base) {
  const auto url = parse_url(base, "callback.base_url");
  if (!url || url->has_userinfo || base.ends_with('/') || url->path != "/" || url->has_query ||
      url->has_fragment)
    return Error{ErrorCode::usage,
                 "callback.base_url '" + printable(base, 80) + "' is not scheme, host and port",
                 "leave out what follows, for example \"http://127.0.0.1:8090\""};
  if (url->scheme == "https" || url->is_loopback()) return {};
  return Error{ErrorCode::usage, "callback.base_url is neither https nor on loopback",
               "providers must not send codes in the clear: use https"};
}

/// It runs when a connection needs a person: too late to learn that there is nothing to run.
Result<void> check_hook(const std::vector<std::string>& command) {
  if (command.empty() || !command.front().empty()) return {};
  return Error{ErrorCode::usage, "hooks.on_attention names no program",
               "name one first and then its arguments, or leave the list empty"};
}

Result<RouteRules> rules_of(const Config& config) {
  auto rules = RouteRules::parse(config.forwarding.rules);
  if (rules) return rules;
  return Error{ErrorCode::usage, "proxy.rules: " + rules.error().message, rules.error().hint};
}

Result<void> check_settings(const Config& config) {
  NEXUS_CHECK(check_ca_file(config.ca_file));
  NEXUS_CHECK(check_hook(config.on_attention));
  NEXUS_CHECK(check_callback_base(config.callback_base_url));
  if (!api::is_own_path(config.callback_path)) return {};
  return Error{ErrorCode::usage,
               "callback.path " + config.callback_path + " is one of nexusd's own paths",
               "use another in nexus.toml, for example path = \"/auth/callback\" under [callback]"};
}

Result<void> read_listeners(const Config& config, Foundations& into) {
  NEXUS_TRY(into.return_urls, ReturnUrls::make(config.gateway.return_urls));
  NEXUS_TRY(into.gateway, api::Gateway::read(config));
  NEXUS_TRY(into.proxy, api::ProxyListener::read(config));
  NEXUS_TRY(into.rules, rules_of(config));
  return {};
}

api::DaemonFacts facts_of(const Config& config, const Foundations& foundations, UnixTime now) {
  const auto& gateway = foundations.gateway;
  return {.socket = config.socket,
          .data_dir = config.data_dir,
          .key_source = foundations.key_source,
          .gateway = gateway ? gateway->url() : "",
          .callback = config.callback_base_url + config.callback_path,
          .callback_on_gateway = gateway && gateway->has_callback,
          .started_at = now};
}

}  // namespace

Result<void> check_config(const Config& config) {
  NEXUS_CHECK(check_settings(config));
  Foundations read;
  return read_listeners(config, read);
}

Result<Foundations> open_foundations(const Config& config) {
  Foundations opened;
  NEXUS_CHECK(check_settings(config));
  NEXUS_CHECK(refuse_lost_vault(config.data_dir));
  NEXUS_TRY(opened.store, open_sqlite_store(config.data_dir));
  // The key is proved on the existing vault before anything is written.
  NEXUS_TRY(const auto header, opened.store->vault_header());
  if (!header) NEXUS_CHECK(refuse_emptied_vault(config.data_dir));
  NEXUS_TRY(const auto root, load_root_key(config.data_dir, header.has_value()));
  opened.key_source = root.source;
  std::optional<VaultHeader> adopted;
  if (header) {
    NEXUS_TRY(auto vault, Vault::open(root.key, *header));
    opened.vault = std::make_unique<Vault>(std::move(vault));
    NEXUS_TRY(adopted, Vault::with_row_macs(root.key, *header));
  } else {
    VaultHeader fresh;
    opened.vault = std::make_unique<Vault>(Vault::create(root.key, fresh));
    NEXUS_CHECK(opened.store->put_vault_header(fresh));
  }
  const auto& row_key = opened.vault->row_key();
  // First: as long as the header says that nothing has codes yet, both are taken as they are.
  NEXUS_TRY(opened.audit_log, open_sqlite_audit_log(config.data_dir, row_key, adopted.has_value()));
  NEXUS_CHECK(opened.store->authenticate_rows(row_key, adopted));
  NEXUS_CHECK(read_listeners(config, opened));
  return opened;
}

Result<Foundations> make_foundations_in_memory(const Config& config) {
  Foundations made;
  NEXUS_CHECK(check_settings(config));
  NEXUS_TRY(made.store, open_sqlite_store_in_memory());
  SecretText root_key(crypto_kdf_KEYBYTES, '\0');
  random_bytes(root_key.data(), root_key.size());
  VaultHeader header;
  made.vault = std::make_unique<Vault>(Vault::create(Secret(root_key), header));
  made.key_source = "memory";
  NEXUS_CHECK(made.store->put_vault_header(header));
  NEXUS_TRY(made.audit_log, open_sqlite_audit_log_in_memory(made.vault->row_key()));
  NEXUS_CHECK(made.store->authenticate_rows(made.vault->row_key(), std::nullopt));
  NEXUS_CHECK(read_listeners(config, made));
  return made;
}

Daemon::Daemon(const Config& config, Foundations foundations)
    : foundations_(std::move(foundations)),
      store_(*foundations_.store),
      vault_(*foundations_.vault),
      clock_(forward_now),
      audit_(*foundations_.audit_log, system_now),
      refusals_(audit_, due_, clock_),
      audit_retention_(*foundations_.audit_log, audit_, due_, config.audit, clock_, system_now),
      streaming_({config.proxy, config.ca_file}),
      server_(reactor_, [this](auto& responses) { commit_audit(audit_, responses); },
              {.connections = most_clients()}),
      network_workers_(64),
      disk_workers_(4),
      integrity_(config.data_dir),
      http_(make_http_client({config.proxy, config.ca_file})),
      metadata_(*http_, system_now),
      redirect_uris_(config.callback_base_url, config.callback_path, api::is_own_path),
      providers_(store_, vault_, metadata_, *http_, system_now),
      registry_(store_, vault_, providers_, metadata_, audit_, due_, redirect_uris_, clock_,
                system_now),
      plans_(registry_, providers_),
      downscoped_(vault_),
      hook_(config.on_attention, network_workers_, clock_),
      ledger_(store_, audit_, due_, tell(hook_, config), clock_, system_now,
              config.refresh_idle_days * 86400),
      revocations_(store_, vault_, providers_, audit_, due_, clock_),
      refresh_(vault_, providers_, metadata_, ledger_, downscoped_, revocations_, clock_),
      refresher_(store_, refresh_, ledger_, downscoped_, network_workers_, clock_),
      tokens_(store_, vault_, providers_, refresher_, downscoped_, clock_),
      forwarder_(tokens_, providers_, streaming_, foundations_.rules, system_now),
      moves_(store_, audit_, refresher_, ledger_, due_, clock_, system_now),
      bundle_exporter_(store_, vault_, providers_, audit_, moves_, system_now),
      bundle_importer_(store_, vault_, registry_, audit_, moves_, due_, clock_, system_now),
      // The sockets and what answers there need each other: the loop runs when both are there.
      callback_sockets_(server_, config.callback_path, callback_on(foundations_.gateway),
                        [this](http::Request request, http::Respond respond) {
                          callback_pages_.handle(std::move(request), std::move(respond));
                        }),
      flows_(store_, vault_, audit_, refusals_, callback_sockets_, due_, foundations_.return_urls,
             {config.limits.pending, config.limits.pending_per_key}, clock_, system_now),
      activation_(store_, vault_, metadata_, due_, clock_, system_now),
      code_flow_(providers_, redirect_uris_, activation_, flows_, audit_, clock_),
      device_flow_(providers_, activation_, flows_, audit_, network_workers_, clock_),
      captures_(providers_, activation_, flows_, *http_, audit_, system_now,
                config.callback_base_url),
      outcomes_(clock_),
      unattended_grants_(providers_, activation_, flows_, audit_, clock_),
      requests_(providers_, foundations_.return_urls, code_flow_, device_flow_, captures_,
                unattended_grants_),
      connections_(store_, providers_, audit_, revocations_, downscoped_, due_, clock_, system_now),
      provider_checks_(providers_, metadata_, redirect_uris_, *http_, flows_),
      provider_reaches_(providers_, *http_, system_now),
      limits_(config.limits),
      callback_pages_(callback_sockets_, code_flow_, captures_, outcomes_, refusals_,
                      limits_.callback, network_workers_),
      api_keys_(store_, vault_, audit_, disk_workers_, clock_, system_now,
                config.gateway.environment_keys),
      proxy_(foundations_.proxy, reactor_, services_, refusals_,
             [this, network = NetworkSettings{config.proxy, config.ca_file}] {
               return std::make_unique<api::ProxyLane>(
                   network, [this](auto& responses) { commit_audit(audit_, responses); }, tokens_,
                   providers_, foundations_.rules, system_now);
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
                limits_,
                clock_,
                facts_of(config, foundations_, clock_())},
      refresh_scheduler_(store_, refresher_, due_, disk_workers_, clock_),
      revocation_scheduler_(store_, revocations_, due_, network_workers_, clock_),
      flow_expiry_(
          Due::What::flow_expiry, [this] { flows_.sweep(); }, due_, disk_workers_, clock_),
      refusals_told_(
          Due::What::refusals, [this] { refusals_.tell(); }, due_, disk_workers_, clock_),
      audit_pruning_(
          Due::What::audit_retention, [this] { audit_retention_.sweep(); }, due_, disk_workers_,
          clock_) {
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
                  .group = http::group_of(socket),
                  .keep_alive = true,
                  .on_refused = refused,
                  .passes_on = api::passes_on(services_)},
                 api::control_socket_handler(services_));
}

Result<void> Daemon::start(int control_socket) {
  NEXUS_CHECK(api_keys_.load());
  listen_on_control_socket(control_socket);
  if (gateway_) NEXUS_CHECK(gateway_->open(server_));
  NEXUS_CHECK(proxy_.start());
  NEXUS_CHECK(refresh_scheduler_.start(reactor_));
  NEXUS_CHECK(revocation_scheduler_.start(reactor_));
  flow_expiry_.start(reactor_);
  refusals_told_.start(reactor_);
  audit_pruning_.start(reactor_);
  audit_retention_.start();
  if (const auto resumed = flows_.resume(); !resumed)
    log(LogLevel::warn, "callback_not_resumed", {{"error", resumed.error().message}});
  return {};
}

void Daemon::stop() {
  const auto under_way = std::make_shared<int>(2);
  const auto drained = [this, under_way] {
    if (--*under_way == 0) reactor_.stop();
  };
  server_.drain(kDrain, drained);
  proxy_.drain(kDrain, drained);
}

bool Daemon::finish() {
  streaming_.stop();  // its answers lead to everything below
  proxy_.stop();
  audit_retention_.stop();
  refresh_scheduler_.stop();
  revocation_scheduler_.stop();
  flow_expiry_.stop();
  refusals_told_.stop();
  audit_pruning_.stop();
  const bool finished = network_workers_.drain(3s) && disk_workers_.drain(1s);
  refusals_.tell_all();
  return finished;
}

}  // namespace nexus
