#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/api/connection.h"
#include "common/api/connection_request.h"
#include "common/error.h"
#include "daemon/access/access.h"
#include "daemon/connect/authorization_code_flow.h"
#include "daemon/connect/captures.h"
#include "daemon/connect/device_flow.h"
#include "daemon/connect/return_urls.h"
#include "daemon/connect/unattended_grants.h"
#include "daemon/provider/providers.h"

namespace nexus {

using api::ConnectionRequest;
using api::StartedConnection;

/// Connections that somebody asks for: which provider, and which of the ways to connect. Blocks on
/// the network. Thread-safe.
class ConnectionRequests {
 public:
  ConnectionRequests(Providers& providers, ReturnUrls return_urls, AuthorizationCodeFlow& code_flow,
                     DeviceFlow& device_flow, Captures& captures, UnattendedGrants& unattended);

  /// Errors: missing_fields, invalid_field, provider_not_found, alias_taken, access_denied,
  /// return_url_not_allowed, callback_unavailable, and what the provider's metadata brings.
  Result<StartedConnection> begin(const ConnectionRequest& request, const Caller& caller);

  /// Makes an active connection of a refresh token that the person has from elsewhere. Errors:
  /// those of `begin`, and of UnattendedGrants::adopt.
  Result<ConnectionRow> adopt(const ConnectionRequest& request, const Secret& refresh_token,
                              const Caller& caller);

 private:
  Result<Provider> choose_provider(const ConnectionRequest& request, const Caller& caller);
  Result<StartedConnection> begin(const ConnectionRequest& request, const Provider& provider,
                                  const Caller& caller);
  /// The pending connection that a request asks for.
  Result<ConnectionRow> prepare(const ConnectionRequest& request, const Provider& provider,
                                const Caller& caller);

  Providers& providers_;
  ReturnUrls return_urls_;
  AuthorizationCodeFlow& code_flow_;
  DeviceFlow& device_flow_;
  Captures& captures_;
  UnattendedGrants& unattended_;
};

}  // namespace nexus
