#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "common/error.h"
#include "daemon/audit.h"
#include "daemon/connect/activation.h"
#include "daemon/connect/flows.h"
#include "daemon/provider/providers.h"
#include "daemon/provider/redirect_uris.h"

namespace nexus {

/// The authorization code grant (RFC 6749 4.1): the person is sent to the provider, and the code
/// that comes back becomes the connection's first tokens. Blocks on the network. Thread-safe.
class AuthorizationCodeFlow {
 public:
  AuthorizationCodeFlow(Providers& providers, RedirectUris redirect_uris, Activation& activation,
                        Flows& flows, Audit& audit, Clock clock);

  /// Stores the pending connection and makes the authorization request (RFC 6749 4.1.1). Errors:
  /// provider_misconfigured, those of Flows::begin, and what the provider's metadata brings.
  /// `extra`: parameters of this request alone. `pasted`: the person brings the answer by hand, so
  /// no port is listened on.
  Result<StartedFlow> begin(ConnectionRow& row,
                            const std::vector<std::pair<std::string, std::string>>& extra,
                            bool pasted, const Caller& caller);

  /// The open flow that an answer is for, by its state alone: one look into the store. `uri` is the
  /// redirect URI that was called, without query. Error: invalid_state.
  Result<FlowRow> asked_for(const std::string& uri,
                            const std::vector<std::pair<std::string, std::string>>& query);

  /// Answers a pending connection. Error: invalid_state for whatever does not belong to an open
  /// flow, which it leaves as it is. What does and is refused (B2) ends the flow, unless it was
  /// brought by hand.
  Result<FlowOutcome> complete(const std::string& uri,
                               const std::vector<std::pair<std::string, std::string>>& query,
                               const Caller& caller);

 private:
  /// Where the answer is to come to. Error: callback_unavailable, with the other ways; `device`:
  /// the provider has a device grant.
  Result<std::string> redirect_uri_for(const ConnectionRow& row, const Provider& provider,
                                       bool pasted, bool device);
  Result<void> exchange(const PendingConnection& pending, const FlowRow& flow, const Secret& code);

  Providers& providers_;
  RedirectUris redirect_uris_;
  Activation& activation_;
  Flows& flows_;
  Audit& audit_;
  Clock clock_;
};

}  // namespace nexus
