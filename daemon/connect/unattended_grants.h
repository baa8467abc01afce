#pragma once

#include <functional>

#include "common/clock.h"
#include "common/error.h"
#include "daemon/audit.h"
#include "daemon/connect/activation.h"
#include "daemon/connect/flows.h"
#include "daemon/provider/providers.h"

namespace nexus {

/// Connections that nobody has to be sent anywhere for: what the client may have by itself, and
/// grants that somebody brings from elsewhere. Blocks on the network. Thread-safe.
class UnattendedGrants {
 public:
  UnattendedGrants(Providers& providers, Activation& activation, Flows& flows, Audit& audit,
                   Clock clock);

  /// Makes a connection of a refresh token, by using it once. Errors: provider_rejected (the
  /// provider does not take it), and those of Client::refresh.
  Result<ConnectionRow> adopt(ConnectionRow row, const Secret& token, const Caller& caller);

  /// Makes a connection of what the client may have without a person. Errors: those of
  /// Client::as_client.
  Result<ConnectionRow> obtain(ConnectionRow row, const Caller& caller);

 private:
  using Obtain = std::function<Result<TokenResponse>(const oauth::Client&)>;
  /// Stores the connection as pending, has the tokens obtained, and makes it active or failed.
  Result<ConnectionRow> make(ConnectionRow row, AuditEvent event, const Caller& caller,
                             const Obtain& obtain);

  Providers& providers_;
  Activation& activation_;
  Flows& flows_;
  Audit& audit_;
  Clock clock_;
};

}  // namespace nexus
