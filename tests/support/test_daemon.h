#pragma once

#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "common/descriptor.h"
#include "daemon/bundle/exporter.h"
#include "daemon/bundle/importer.h"
#include "daemon/bundle/moves.h"
#include "daemon/connect/activation.h"
#include "daemon/connect/authorization_code_flow.h"
#include "daemon/connect/captures.h"
#include "daemon/connect/connections.h"
#include "daemon/connect/device_flow.h"
#include "daemon/connect/flows.h"
#include "daemon/connect/request.h"
#include "daemon/connect/unattended_grants.h"
#include "daemon/connection_permits.h"
#include "daemon/due.h"
#include "daemon/loop/reactor.h"
#include "daemon/provider/metadata_cache.h"
#include "daemon/provider/plan.h"
#include "daemon/provider/providers.h"
#include "daemon/provider/registry.h"
#include "daemon/scheduler/refresh_scheduler.h"
#include "daemon/scheduler/revocation_scheduler.h"
#include "daemon/store/audit_log.h"
#include "daemon/token/refresher.h"
#include "daemon/token/revocations.h"
#include "daemon/token/tokens.h"
#include "daemon/vault/vault.h"
#include "daemon/worker_pool.h"
#include "tests/support/events.h"
#include "tests/support/fake_callback_listener.h"
#include "tests/support/scripted_provider.h"
#include "tests/support/test_clock.h"

namespace nexus::test {

/// What outlives a daemon: time, the network, and what a test saw happen.
struct World {
  TestClock clock;
  Events events;
  ScriptedProvider provider{clock.wall(), events};
};

/// An audit log that tells whoever waits of each record.
class WatchedAuditLog : public AuditLog {
 public:
  WatchedAuditLog(std::unique_ptr<AuditLog> log, Events& events)
      : log_(std::move(log)), events_(events) {}
  Result<void> append(const std::vector<std::string>& records) override;
  Result<std::vector<Entry>> find(const Filter& filter) override { return log_->find(filter); }
  Result<std::vector<Age>> oldest(std::int64_t limit) override { return log_->oldest(limit); }
  Result<std::int64_t> size() override { return log_->size(); }
  Result<void> remove_until(std::int64_t sequence, const std::string& record) override {
    return log_->remove_until(sequence, record);
  }
  Result<bool> give_back_space() override { return log_->give_back_space(); }
  void on_growth(std::function<void()> grown) override { log_->on_growth(std::move(grown)); }
  Result<api::AuditVerdict> verify(const std::atomic<bool>& stop) override {
    return log_->verify(stop);
  }
  Result<void> copy_into(const std::string& directory) override {
    return log_->copy_into(directory);
  }
  const std::string& trouble() const override { return log_->trouble(); }

 private:
  std::unique_ptr<AuditLog> log_;
  Events& events_;
};

/// The schedulers, with the event loop that drives them, on a thread of its own.
class BackgroundWork {
 public:
  BackgroundWork(Store& store, Refresher& refresher, Revocations& revocations, Due& due,
                 WorkerPool& workers, const Clock& clock);

  void ring();
  /// Begins nothing more. To be called before it goes, and before what it has begun is waited for.
  void stop();

 private:
  void run(std::promise<void> started);

  Due& due_;
  RefreshScheduler refreshes_;
  RevocationScheduler revocations_;
  std::optional<Reactor> reactor_;  ///< outlives its thread: workers still tell it what is due
  std::thread thread_;
};

/// The services of nexusd, wired as class Daemon wires them, with a fake at each edge.
class TestDaemon {
 public:
  TestDaemon(World& world, const std::string& directory, std::size_t worker_threads,
             UnixTime idle_after, bool schedulers, MostPending most_pending);
  ~TestDaemon();

 private:
  World& world_;
  Descriptor lock_;  ///< of the data directory
  std::unique_ptr<Store> owned_store_;
  WatchedAuditLog audit_log_;

 public:
  Store& store;
  const Vault vault;
  FakeCallbackListener listener;
  Audit audit;
  Due due;
  Refusals refusals;
  WorkerPool workers;
  MetadataCache metadata;
  RedirectUris redirect_uris;
  ConnectionPermits connection_permits;
  Providers providers;
  ProviderRegistry registry;
  DownscopedTokens downscoped;
  SleepCheck sleep;
  UseGate use_gate;
  RefreshLedger ledger;
  Revocations revocations;
  Refresh refresh;
  Refresher refresher;
  Tokens tokens;
  Moves moves;
  BundleExporter bundle_exporter;
  BundleImporter bundle_importer;
  Flows flows;
  Activation activation;
  AuthorizationCodeFlow code_flow;
  DeviceFlow device_flow;
  Captures captures;
  UnattendedGrants unattended_grants;
  ConnectionRequests requests;
  Connections connections;
  std::unique_ptr<BackgroundWork> background;  ///< nothing: a test does what is due

  std::vector<std::string> told_of_attention();

 private:
  void tell(const ConnectionRow& row, const std::string& cause);

  std::mutex mutex_;
  std::vector<std::string> told_of_attention_;
};

}  // namespace nexus::test
