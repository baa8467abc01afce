#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>

#include "common/clock.h"
#include "common/config.h"
#include "daemon/access/api_keys.h"
#include "daemon/access/use_gate.h"
#include "daemon/api/callback_pages.h"
#include "daemon/api/callback_sockets.h"
#include "daemon/api/gateway.h"
#include "daemon/api/limits.h"
#include "daemon/api/proxy_listener.h"
#include "daemon/api/routes.h"
#include "daemon/attention_hook.h"
#include "daemon/audit.h"
#include "daemon/audit_retention.h"
#include "daemon/backup/backup.h"
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
#include "daemon/connection_permits.h"
#include "daemon/custody/root_keys.h"
#include "daemon/custody/rotation.h"
#include "daemon/custody/trust.h"
#include "daemon/due.h"
#include "daemon/foundations.h"
#include "daemon/handover.h"
#include "daemon/http/server.h"
#include "daemon/integrity_check.h"
#include "daemon/loop/reactor.h"
#include "daemon/net/http_client.h"
#include "daemon/provider/metadata_cache.h"
#include "daemon/provider/plan.h"
#include "daemon/provider/providers.h"
#include "daemon/provider/registry.h"
#include "daemon/refusals.h"
#include "daemon/sandbox.h"
#include "daemon/scheduler/refresh_scheduler.h"
#include "daemon/scheduler/revocation_scheduler.h"
#include "daemon/scheduler/sweeper.h"
#include "daemon/sleep_check.h"
#include "daemon/suspend/lock_on_suspend.h"
#include "daemon/token/refresher.h"
#include "daemon/token/tokens.h"
#include "daemon/upstream/forwarder.h"
#include "daemon/worker_pool.h"

namespace nexus {

/// nexusd as a whole: its parts in the order in which they need one another.
class Daemon {
 public:
  Daemon(const Config& config, Foundations foundations, const Sandbox& sandbox);

  /// Listens and lets the schedulers begin. `left`: by the nexusd before it in this process.
  /// Errors: callback_unavailable, failure.
  Result<void> start(int control_socket, api::ProxyListener::Left left = {});
  /// It may be restarted and locked from now on, and locks itself where that is wished for: it
  /// stops, and leaves what the next one in this process takes over.
  void allow_succession(const Launch& launch);
  /// Puts on record that the vault was opened, and how often that was tried in vain before.
  void tell_unlocked(int wrong, const Caller& caller);
  struct Succession {
    std::string program;
    Handover left;
  };
  /// Once the loop has ended.
  bool has_successor() const { return succession_.has_value(); }
  /// After `finish`; nothing where it was to stop for good.
  std::optional<Succession> succession();
  /// Once those who wait for the daemon know that it is ready.
  void check_databases() { integrity_.start(); }
  /// What a bundle has, before the start. Errors: those of BundleImporter::take_in.
  Result<ImportedBundle> take_in(std::string_view bundle, const EnvelopeOpener& opener) {
    return bundle_importer_.take_in(bundle, opener, false, {});
  }
  Reactor& reactor() { return reactor_; }
  /// Accepts nothing more, finishes what is in progress and ends the loop. The loop's thread.
  void stop();
  /// The same, and nothing is to take its place, whatever was asked for before.
  void stop_for_good();
  const api::DaemonFacts& facts() const { return services_.facts; }
  /// After the loop has ended: whether the workers did in time.
  bool finish();

 private:
  void listen_on_control_socket(int socket);
  void before_send(std::vector<http::Response*>& responses);
  Result<void> restart(const Launch& launch, const std::string& program);
  Result<void> send_when_trusted();
  Result<void> send_by_itself();
  /// How long what is under way may take before this one ends.
  struct Patience {
    std::chrono::milliseconds requests;
    std::chrono::milliseconds workers;
  };
  static const Patience kStop;
  static const Patience kLock;
  static const Patience kSleep;

  Result<void> lock_as_asked(const Caller& caller);
  Result<void> lock_by_itself(const char* why, const Patience& patience);
  void lock(const char* why, const Patience& patience);
  void lock_when_idle(UnixTime after_s);
  void lock_on_suspend();

  Foundations foundations_;
  Store& store_;
  const Vault& vault_;
  Clock clock_;
  Audit audit_;
  std::atomic<UnixTime> last_use_;
  RootKeys root_keys_;
  Trust trust_;
  Backups backups_;
  Due due_;
  Refusals refusals_;
  AuditRetention audit_retention_;
  Reactor reactor_;
  StreamingClient streaming_;
  http::Server server_;
  WorkerPool network_workers_;
  WorkerPool disk_workers_;
  WorkerPool askers_;  ///< wait for people
  IntegrityCheck integrity_;
  Rotation rotation_;

  std::unique_ptr<HttpClient> http_;
  MetadataCache metadata_;
  RedirectUris redirect_uris_;
  ConnectionPermits connection_permits_;
  Providers providers_;
  ProviderRegistry registry_;
  ProviderPlans plans_;

  DownscopedTokens downscoped_;
  SleepCheck sleep_check_;
  UseGate use_gate_;
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
  Sweeper key_expiry_;
  std::optional<LockOnSuspend> lock_on_suspend_;
  std::optional<Succession> succession_;  ///< the loop's thread
  Patience patience_ = kStop;             ///< the loop's thread
  bool for_good_ = false;                 ///< the loop's thread
};

}  // namespace nexus
