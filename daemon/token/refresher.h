#pragma once

#include <functional>
#include <optional>
#include <string>

#include "common/clock.h"
#include "common/error.h"
#include "daemon/store/store.h"
#include "daemon/token/downscoped_tokens.h"
#include "daemon/token/per_host_limit.h"
#include "daemon/token/refresh.h"
#include "daemon/token/refresh_ledger.h"
#include "daemon/token/single_flight.h"
#include "daemon/worker_pool.h"

namespace nexus {

/// Has tokens refreshed: one refresh under way for each connection, whoever asks (F1 to F5), few at
/// a time for each token endpoint's host (F17), and none while the last failure says to wait (F10,
/// F11). Thread-safe.
class Refresher {
 public:
  Refresher(Store& store, Refresh& refresh, RefreshLedger& ledger, DownscopedTokens& downscoped,
            WorkerPool& workers, Clock clock);

  /// Joins the connection's flight, or begins one. `waiter.done` is called later, on a worker's
  /// thread: without error also where a refresh was no longer needed. What is refreshed for a
  /// target of its own is found in DownscopedTokens then. Errors: those of Refresh::run,
  /// connection_….
  void join(const std::string& connection_id, SingleFlight::Waiter waiter);
  bool is_under_way(const std::string& connection_id) {
    return flights_.is_under_way(connection_id);
  }
  void note_use(const std::string& connection_id) { ledger_.note_use(connection_id); }

 private:
  /// What the store said of the connection a moment ago; nothing where that was too long ago.
  using Looked = std::optional<Result<std::optional<ConnectionRecord>>>;
  void take_off(const std::string& connection_id, bool background);
  void fly(const std::string& connection_id, const std::string& host, Looked looked);
  Result<void> attempt(const std::string& connection_id, const TokenTarget& target, Looked looked);
  bool anybody_needs(const ConnectionRow& row, const TokenTarget& target);

  Store& store_;
  Refresh& refresh_;
  RefreshLedger& ledger_;
  DownscopedTokens& downscoped_;
  WorkerPool& workers_;
  Clock clock_;
  PerHostLimit per_host_;
  SingleFlight flights_;
};

}  // namespace nexus
