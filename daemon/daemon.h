#pragma once

#include <memory>
#include <optional>

#include "common/clock.h"
#include "common/config.h"
#include "daemon/access/api_keys.h"
#include "daemon/api/callback_pages.h"
#include "daemon/api/callback_sockets.h"
#include "daemon/api/gateway.h"
#include "daemon/api/limits.h"
#include "daemon/api/proxy_listener.h"
#include "daemon/api/routes.h"
#include "daemon/attention_hook.h"
#include "daemon/audit.h"
#include "daemon/audit_retention.h"
#include "daemon/bundle/exporter.h"
#include "daemon/bundle/importer.h"
#include "daemon/bundle/moves.h"
#include "daemon/connect/activation.h"
#include "daemon/connect/authorization_code_flow.h"
#include "daemon/connect/captures.h"
#include "daemon/connect/connections.h"
#include "daemon/connect/device_flow.h"
#include "daemon/connect/flows.h"
#include "daemon/connect/provider_checks.h"
#include "daemon/connect/provider_reach.h"
#include "daemon/connect/request.h"
#include "daemon/connect/unattended_grants.h"
#include "daemon/due.h"
#include "daemon/http/server.h"
#include "daemon/integrity_check.h"
#include "daemon/loop/reactor.h"
#include "daemon/net/http_client.h"
#include "daemon/provider/metadata_cache.h"
#include "daemon/provider/plan.h"
#include "daemon/provider/providers.h"
#include "daemon/provider/registry.h"
#include "daemon/refusals.h"
#include "daemon/scheduler/refresh_scheduler.h"
#include "daemon/scheduler/revocation_scheduler.h"
#include "daemon/scheduler/sweeper.h"
#include "daemon/token/refresher.h"
#include "daemon/token/tokens.h"
#include "daemon/upstream/forwarder.h"
#include "daemon/worker_pool.h"

namespace nexus {

/// What a daemon stands on: opened, checked and locked before any of it is used.
struct Foundations {
  std::unique_ptr<Store> store;
  std::unique_ptr<Vault> vault;
  std::unique_ptr<AuditLog> audit_log;
  std::string key_source;
  ReturnUrls return_urls;
  std::optional<api::Gateway::Settings> gateway;
  std::optional<http::ListenAddress> proxy;
  RouteRules rules;
};

/// That a daemon could be made of these settings; opens no vault and binds no port. Error: usage,
/// vault_unusable for a certificate's key that others can read.
Result<void> check_config(const Config& config);

/// The data directory has to be locked. Errors: vault_key_wrong, vault_unusable, usage.
Result<Foundations> open_foundations(const Config& config);

/// The same in memory, empty and under a key that nobody else has. Error: usage.
Result<Foundations> make_foundations_in_memory(const Config& config);

/// nexusd as a whole: its parts in the order in which they need one another.
class Daemon {
 public:
  Daemon(const Config& config, Foundations foundations);

  /// Listens and lets the schedulers begin. Errors: callback_unavailable, failure.
  Result<void> start(int control_socket);
  /// Once those who wait for the daemon know that it is ready.
  void check_databases() { integrity_.start(); }
  /// What a bundle has, before the start. Errors: those of BundleImporter::take_in.
  Result<ImportedBundle> take_in(std::string_view bundle, const BundleOpener& opener) {
    return bundle_importer_.take_in(bundle, opener, false, {});
  }
  Reactor& reactor() { return reactor_; }
  /// Accepts nothing more, finishes what is in progress and ends the loop. The loop's thread.
  void stop();
  const api::DaemonFacts& facts() const { return services_.facts; }
  /// After the loop has ended: whether the workers did in time.
  bool finish();

 private:
  void listen_on_control_socket(int socket);

  Foundations foundations_;
  Store& store_;
  const Vault& vault_;
  Clock clock_;
  Audit audit_;
  Due due_;
  Refusals refusals_;
  AuditRetention audit_retention_;
  Reactor reactor_;
  StreamingClient streaming_;
  http::Server server_;
  WorkerPool network_workers_;
  WorkerPool disk_workers_;
  IntegrityCheck integrity_;

  std::unique_ptr<HttpClient> http_;
  MetadataCache metadata_;
  RedirectUris redirect_uris_;
  Providers providers_;
  ProviderRegistry registry_;
  ProviderPlans plans_;

  DownscopedTokens downscoped_;
  AttentionHook hook_;
  RefreshLedger ledger_;
  Revocations revocations_;
  Refresh refresh_;
  Refresher refresher_;
  Tokens tokens_;
  Forwarder forwarder_;
  Moves moves_;
  BundleExporter bundle_exporter_;
  BundleImporter bundle_importer_;

  api::CallbackSockets callback_sockets_;
  Flows flows_;
  Activation activation_;
  AuthorizationCodeFlow code_flow_;
  DeviceFlow device_flow_;
  Captures captures_;
  FlowOutcomes outcomes_;
  UnattendedGrants unattended_grants_;
  ConnectionRequests requests_;
  Connections connections_;
  ProviderChecks provider_checks_;
  ProviderReaches provider_reaches_;
  api::Limits limits_;
  api::CallbackPages callback_pages_;

  ApiKeys api_keys_;
  api::ProxyListener proxy_;
  api::Services services_;
  std::optional<api::Gateway> gateway_;

  RefreshScheduler refresh_scheduler_;
  RevocationScheduler revocation_scheduler_;
  Sweeper flow_expiry_;
  Sweeper refusals_told_;
  Sweeper audit_pruning_;
};

}  // namespace nexus
