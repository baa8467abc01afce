#pragma once

#include <functional>

#include "common/clock.h"
#include "common/error.h"
#include "daemon/audit.h"
#include "daemon/connect/activation.h"
#include "daemon/connect/flows.h"
#include "daemon/provider/providers.h"

namespace nexus {

/// Connections that are made without sending anybody anywhere. Blocks on the network. Thread-safe.
class UnattendedGrants {
 public:
  UnattendedGrants(Providers& providers, Activation& activation, HttpClient& http, Audit& audit,
                   Flows& flows, Clock clock);

  /// Makes a connection of a refresh token that the person has from elsewhere, by using it once.
  /// Errors: provider_rejected (the provider does not take it), and those of refresh_token.
  Result<void> adopt(const ConnectionRow& row, const Provider& provider, const Secret& token,
                     const Caller& caller);

  /// Makes a connection of what the client may have without a person (client_token). Errors: those
  /// of client_token.
  Result<void> obtain(const ConnectionRow& row, const Provider& provider, const Caller& caller);

 private:
  using Obtain =
      std::function<Result<TokenResponse>(const ProviderWithSecret&, const ProviderEndpoints&)>;
  /// Stores the connection as pending, has the tokens obtained, and makes it active or failed.
  Result<void> make(const ConnectionRow& row, const Provider& provider, const char* event,
                    const Caller& caller, const Obtain& obtain);

  Providers& providers_;
  Activation& activation_;
  HttpClient& http_;
  Audit& audit_;
  Flows& flows_;
  Clock clock_;
};

}  // namespace nexus
