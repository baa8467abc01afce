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
#include "daemon/due.h"
#include "daemon/refusals.h"
#include "daemon/store/store.h"
#include "daemon/vault/sealed_fields.h"
#include "daemon/vault/vault.h"

namespace nexus {

/// How long a person may take to answer, in seconds.
constexpr UnixTime kFlowLife = 600;

/// How many connections may wait for an answer at a time, 0 for no limit.
struct MostPending {
  std::int64_t all = 0;
  std::int64_t of_key = 0;  ///< those that one API key began
};

/// A flow that is to begin.
struct NewFlow {
  FlowKind kind = FlowKind::code;
  std::string state;         ///< "" where nobody brings one
  std::string redirect_uri;  ///< where its answer comes to, "" where none comes
  bool awaited = false;  ///< a listener has to be open there; else the answer is brought by hand
  std::string issuer;    ///< that the state was signed for
  std::string pinned;    ///< the endpoints that it speaks to, to its end (to_text)
  std::int64_t interval = 0;                              ///< of a device flow
  UnixTime life = kFlowLife;                              ///< seconds
  std::vector<std::pair<SecretField, Secret>> secrets{};  ///< sealed with the connection
};

/// A flow that waits: where the person goes, and what tells its answer.
struct StartedFlow {
  std::string url;
  std::string state;
  std::string redirect_uri;       ///< where its answer comes to
  bool device_supported = false;  ///< a consent could be given on another device instead
};

/// The pending connection of a flow, with what was sealed for it.
struct PendingConnection {
  ConnectionRow row;
  SealedFields secrets;
};

/// How a flow ended: what the person at the browser is to see, and where the browser goes next.
struct FlowOutcome {
  bool active = false;
  bool denied = false;
  std::string connection_id;
  std::string provider;
  std::string account{};      ///< of an active one, "" where nobody knows
  std::string message{};      ///< cleaned for display
  std::string next{};         ///< the command that makes use of it, or begins again
  std::string hint{};         ///< what to do about a failure, "" for nothing beside `next`
  std::string redirect_to{};  ///< "" to show a page
  std::string receipt{};      ///< what the page is shown again for (FlowOutcomes), "" for nothing
};

/// The flows that wait for a person: a consent at a provider, or credentials typed into our own
/// page. Each is known by its state alone, which says nothing and is signed for one connection, one
/// issuer and one address (A4). Thread-safe.
class Flows {
 public:
  Flows(Store& store, const Vault& vault, Audit& audit, Refusals& refusals,
        CallbackListener& listener, Due& due, ReturnUrls return_urls, MostPending most, Clock clock,
        Clock wall_clock);

  /// A new state for a flow that is answered at `uri`.
  std::string new_state(const std::string& connection_id, const std::string& issuer,
                        const std::string& uri) const;

  /// Where an answer can be listened for: at `uri`, or, where that port is taken and any will do,
  /// at the same address on a port that the kernel chose. Error: callback_unavailable.
  Result<std::string> listen(const std::string& uri, bool any_port);

  /// Stores a pending connection with its flow, whose answer is listened for from now on where it
  /// is awaited. When it was made and when it ends are set in `row`. Errors: callback_unavailable,
  /// alias_taken, and rate_limited or overloaded where too many wait.
  Result<void> begin(ConnectionRow& row, NewFlow flow, const Caller& caller);

  /// The open flow of a state that came to `uri`. Error: invalid_state.
  Result<FlowRow> find(const std::string& state, const std::string& uri);
  /// The open flow of a connection, of that kind. Error: invalid_state.
  Result<FlowRow> find_of(const std::string& connection_id, FlowKind kind);
  /// Its connection. Error: invalid_state where it does not wait any more.
  Result<PendingConnection> pending(const FlowRow& flow);
  /// The same for a flow that is answered now; for one caller alone.
  Result<PendingConnection> take(const FlowRow& flow);

  /// Puts on record that somebody brought what belongs to no open flow.
  Result<void> turn_away(const Error& unknown, const Caller& caller);
  /// The provider answered with an OAuth error instead of a connection.
  FlowOutcome refused(const ConnectionRow& row, const std::string& oauth_error,
                      const std::string& message, const Caller& caller);
  /// The provider's answer could not be made use of; invalid_state: the browser's could not.
  FlowOutcome fail(const ConnectionRow& row, const Error& error, const Caller& caller);
  /// The flow's connection is active.
  FlowOutcome succeed(const ConnectionRow& row);

  /// Whether answers to this redirect URI can be listened for. Error: callback_unavailable.
  Result<void> check_listener(const std::string& uri);

  /// Fails what nobody answered in time and forgets what failed 30 days ago, some of them at once;
  /// closes the callback listener when nobody is expected. Says when it is to be called next
  /// (Due::What::flow_expiry).
  void sweep();
  /// Listens again for flows that were open when the daemon stopped.
  Result<void> resume();

  static Error does_not_belong(const std::string& message);

 private:
  bool expecting();
  /// Whether one more may wait. Errors: rate_limited where it is the key that has too many,
  /// overloaded.
  Result<void> check_room(const Caller& caller);
  /// After how many seconds there is room beside those of the key, or all (""); 0: there is.
  Result<int> wait_for_room(const std::string& api_key, std::int64_t most);
  FlowOutcome end(const ConnectionRow& row, AuditEvent event, const std::string& code,
                  const std::string& message, const std::string& mend, const Caller& caller);

  Store& store_;
  const Vault& vault_;
  Audit& audit_;
  Refusals& refusals_;
  CallbackListener& listener_;
  Due& due_;
  ReturnUrls return_urls_;
  const MostPending most_;
  Clock clock_;
  Clock wall_clock_;
  /// Keeps `sweep` from closing the listener between its opening and the flow's being stored.
  std::mutex listener_mutex_;
};

}  // namespace nexus
