#pragma once

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "common/error.h"
#include "daemon/audit.h"
#include "daemon/connect/callback_listener.h"
#include "daemon/connect/return_urls.h"
#include "daemon/store/store.h"
#include "daemon/vault/vault.h"

namespace nexus {

/// How long a person may take to answer, in seconds.
constexpr UnixTime kFlowLife = 600;

/// A flow that waits: where the person goes, and what tells its answer.
struct StartedFlow {
  std::string url;
  std::string state;
};

/// How a flow ended: what the person at the browser is to see, and where the browser goes next.
struct FlowOutcome {
  bool active = false;
  bool denied = false;
  std::string connection_id;
  std::string provider;
  std::string message;      ///< cleaned for display
  std::string redirect_to;  ///< "" to show a page
};

/// The flows that wait for a person: a consent at a provider, or credentials typed into our own
/// page. Each is known by its state alone, which says nothing and is signed for one connection, one
/// issuer and one address (security.md A4). Thread-safe.
class Flows {
 public:
  Flows(Store& store, const Vault& vault, Audit& audit, CallbackListener& listener,
        ReturnUrls return_urls, Clock clock);

  const ReturnUrls& return_urls() const { return return_urls_; }

  /// A new state for a flow that is answered at `uri`.
  std::string new_state(const std::string& connection_id, const std::string& issuer,
                        const std::string& uri) const;

  /// Where an answer can be listened for: at `uri`, or, where that port is taken and any will do,
  /// at the same address on a port that the kernel chose. Error: callback_unavailable.
  Result<std::string> listen(const std::string& uri, bool any_port);

  /// Stores a pending connection with its flow; from now on its answer is listened for, unless it
  /// is to be pasted. `pinned` is what the flow needs to know of the provider; its "issuer" is the
  /// one the state is for. Errors: callback_unavailable, alias_taken.
  Result<void> begin(const ConnectionRow& row, const std::string& state, const std::string& uri,
                     const std::string& pinned, const std::vector<SealedField>& fields, bool pasted,
                     const Caller& caller);

  /// The open flow of a state that came to `uri`. Error: invalid_state.
  Result<FlowRow> find(const std::string& state, const std::string& uri);
  /// The connection of a flow that is answered now; true for one caller alone. Error:
  /// invalid_state.
  Result<ConnectionRow> take(const FlowRow& flow);

  /// The flow ended without a connection. `code` is an OAuth error or one of ours.
  FlowOutcome fail(const ConnectionRow& row, const std::string& code, const std::string& message,
                   const Caller& caller);
  /// The provider's answer could not be made use of.
  FlowOutcome fail(const ConnectionRow& row, const Error& error, const Caller& caller);
  /// The flow's connection is active.
  FlowOutcome succeed(const ConnectionRow& row);

  /// Whether answers to this redirect URI can be listened for. Error: callback_unavailable.
  Result<void> check_listener(const std::string& uri);

  /// Fails what nobody answered in time; closes the callback listener when nobody is expected.
  /// Meant to be called now and then while `expecting()`.
  void sweep();
  bool expecting();
  /// Listens again for flows that were open when the daemon stopped.
  Result<void> resume();

  static Error does_not_belong(const std::string& message);

 private:
  std::string sign(const std::string& random, const std::string& connection_id,
                   const std::string& issuer, const std::string& uri) const;
  std::string return_to(const ConnectionRow& row,
                        const std::vector<std::pair<std::string, std::string>>& parameters) const;

  Store& store_;
  const Vault& vault_;
  Audit& audit_;
  CallbackListener& listener_;
  ReturnUrls return_urls_;
  Clock clock_;
  /// Keeps `sweep` from closing the listener between its opening and the flow's being stored.
  std::mutex listener_mutex_;
};

}  // namespace nexus
