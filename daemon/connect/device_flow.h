#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "common/api/connection.h"
#include "common/clock.h"
#include "common/error.h"
#include "daemon/audit.h"
#include "daemon/connect/activation.h"
#include "daemon/connect/flows.h"
#include "daemon/provider/providers.h"
#include "daemon/worker_pool.h"

namespace nexus {

using api::DevicePrompt;

/// Consent that is given on another device (RFC 8628). The provider is asked while
/// somebody asks us: who waits for the connection drives the polling, at the provider's pace, and
/// when the last one goes away (Ctrl-C) it ends. So nothing runs for a flow that nobody is
/// interested in, and a restart loses none. Thread-safe.
class DeviceFlow {
 public:
  DeviceFlow(Providers& providers, Activation& activation, Flows& flows, Audit& audit,
             WorkerPool& workers, Clock clock);

  /// Asks the provider for a code and stores the pending connection, until the end of that code.
  /// Blocks on the network. Errors: unsupported_auth_type (the provider has no device authorization
  /// endpoint), those of Client::start_device and Flows::begin.
  Result<DevicePrompt> begin(ConnectionRow& row,
                             const std::vector<std::pair<std::string, std::string>>& extra,
                             const Caller& caller);

  /// Somebody asks for a pending connection: where the provider may be asked again, it is, on a
  /// worker's thread. `then` is called after that, or at once where there is nothing to wait for.
  void advance(const ConnectionRow& row, std::function<void()> then = {});

 private:
  using Instant = std::chrono::steady_clock::time_point;
  /// How a flow's polling stands. Only in memory: a restart costs one poll too early at the most.
  struct Pace {
    std::int64_t interval = 5;  ///< seconds
    int failures = 0;           ///< in a row
    Instant next{};
    bool asking = false;
  };

  /// A flow that waits, with all that asking about it takes.
  struct Open {
    FlowRow flow;
    Secret device_code;
    ProviderClient ours;
  };

  bool may_ask_now(const ConnectionRow& row);
  Result<Open> open(const std::string& connection_id);
  void ask(const std::string& connection_id);
  /// Not faster than the provider has asked for.
  void settle_interval(const std::string& connection_id, std::int64_t interval);
  void set_pace(const std::string& connection_id, const Result<oauth::DevicePoll>& outcome);
  Result<void> end(const Open& open, const oauth::DevicePoll& outcome, UnixTime sent_at);
  void forget(const std::string& connection_id);

  Providers& providers_;
  Activation& activation_;
  Flows& flows_;
  Audit& audit_;
  WorkerPool& workers_;
  Clock clock_;
  std::mutex mutex_;
  std::map<std::string, Pace> paces_;
};

}  // namespace nexus
