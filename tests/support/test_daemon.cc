#include "tests/support/test_daemon.h"

#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <stdexcept>

#include "daemon/process.h"

namespace nexus::test {
namespace {

constexpr const char* kCallbackBase = "http://127.0.0.1:8090";
constexpr const char* kCallbackPath = "/auth/callback";
const Secret kAuditKey(std::string(32, 'r'));

template <class T>
T good(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return *std::move(result);
}

void good(const Result<void>& result) {
  if (!result) throw std::runtime_error(result.error().message);
}

Vault open_vault(Store& store) {
  const Secret root_key(std::string(32, 'k'));
  const auto stored = good(store.vault_header());
  VaultHeader made;
  auto vault = stored ? good(Vault::open(root_key, *stored)) : Vault::create(root_key, made);
  if (!stored) good(store.put_vault_header(made));
  good(store.authenticate_rows(vault, std::nullopt));
  return vault;
}

}  // namespace

Result<void> WatchedAuditLog::append(const std::vector<std::string>& records) {
  auto appended = log_->append(records);
  events_.happened();
  return appended;
}

BackgroundWork::BackgroundWork(Store& store, Refresher& refresher, Revocations& revocations,
                               Due& due, WorkerPool& workers, const Clock& clock)
    : due_(due),
      refreshes_(store, refresher, due, workers, clock),
      revocations_(store, revocations, due, workers, clock) {
  std::promise<void> started;
  auto running = started.get_future();
  thread_ = std::thread(&BackgroundWork::run, this, std::move(started));
  running.get();
}

void BackgroundWork::run(std::promise<void> started) {
  auto& reactor = reactor_.emplace();  // the thread that makes it is its loop's
  if (!refreshes_.start(reactor) || !revocations_.start(reactor)) std::abort();
  started.set_value();
  reactor.run();
}

void BackgroundWork::stop() {
  refreshes_.stop();
  revocations_.stop();
  reactor_->stop();
  thread_.join();
}

/// Their timers run in real time, which a turned clock leaves behind: the earliest time there is
/// makes them run down at once.
void BackgroundWork::ring() {
  due_.expect(Due::What::refresh, 1);
  due_.expect(Due::What::revocation, 1);
}

TestDaemon::TestDaemon(World& world, const std::string& data_dir, std::size_t worker_threads,
                       UnixTime idle_after, bool schedulers, MostPending most_pending)
    : world_(world),
      lock_(good(lock_data_dir(data_dir))),
      owned_store_(good(open_sqlite_store(data_dir))),
      audit_log_(
          good(open_sqlite_audit_log(data_dir, {kAuditKey, kAuditKey}, VaultStage::with_codes)),
          world.events),
      store(*owned_store_),
      vault(open_vault(store)),
      audit(audit_log_, world.clock.wall()),
      refusals(audit, due, world.clock.hand_out()),
      workers(worker_threads),
      metadata(world.provider, world.clock.wall()),
      redirect_uris(kCallbackBase, kCallbackPath, [](const std::string&) { return false; }),
      connection_permits(store),
      providers(store, vault, metadata, world.provider, world.clock.wall()),
      registry(store, vault, providers, connection_permits, metadata, audit, due, redirect_uris,
               world.clock.hand_out(), world.clock.wall()),
      downscoped(vault),
      use_gate(workers, workers, {}, sleep, world.clock.hand_out()),
      ledger(
          store, audit, due,
          [this](const ConnectionRow& row, const std::string& cause) { tell(row, cause); },
          world.clock.hand_out(), world.clock.wall(), idle_after),
      revocations(store, vault, providers, audit, due, world.clock.hand_out()),
      refresh(vault, providers, metadata, ledger, downscoped, revocations, world.clock.hand_out()),
      refresher(store, refresh, ledger, downscoped, workers, world.clock.hand_out()),
      tokens(store, vault, providers, refresher, downscoped, use_gate, world.clock.hand_out()),
      moves(store, connection_permits, audit, refresher, ledger, due, world.clock.hand_out(),
            world.clock.wall()),
      bundle_exporter(store, vault, providers, audit, moves, world.clock.wall()),
      bundle_importer(store, vault, registry, audit, moves, due, world.clock.hand_out(),
                      world.clock.wall()),
      flows(store, vault, audit, refusals, listener, due, good(ReturnUrls::make({})), most_pending,
            world.clock.hand_out(), world.clock.wall()),
      activation(store, vault, connection_permits, metadata, due, world.clock.hand_out(),
                 world.clock.wall()),
      code_flow(providers, redirect_uris, activation, flows, audit, world.clock.hand_out()),
      device_flow(providers, activation, flows, audit, workers, world.clock.hand_out()),
      captures(providers, activation, flows, world.provider, audit, world.clock.wall(),
               kCallbackBase),
      unattended_grants(providers, activation, flows, audit, world.clock.hand_out()),
      requests(providers, good(ReturnUrls::make({})), code_flow, device_flow, captures,
               unattended_grants),
      connections(store, providers, connection_permits, audit, revocations, downscoped, due,
                  world.clock.hand_out(), world.clock.wall()) {
  if (const auto resumed = flows.resume(); !resumed)
    throw std::runtime_error(resumed.error().message);
  if (schedulers) {
    background = std::make_unique<BackgroundWork>(store, refresher, revocations, due, workers,
                                                  world.clock.hand_out());
    return;
  }
  // A test does what is due; whoever waits for it looks again.
  for (const auto what : {Due::What::refresh, Due::What::revocation, Due::What::flow_expiry})
    due.listen(what, [this](UnixTime) { world_.events.happened(); });
}

void TestDaemon::tell(const ConnectionRow& row, const std::string& cause) {
  {
    const std::lock_guard lock(mutex_);
    told_of_attention_.push_back(row.id + ": " + cause);
  }
  world_.events.happened();
}

TestDaemon::~TestDaemon() {
  if (background) background->stop();
  world_.provider.release();
  // What the workers still do may need any of the parts.
  if (workers.drain(kPatience)) return;
  std::cerr << "a worker does not end: the test cannot go on\n";
  std::abort();
}

std::vector<std::string> TestDaemon::told_of_attention() {
  const std::lock_guard lock(mutex_);
  return told_of_attention_;
}

}  // namespace nexus::test
