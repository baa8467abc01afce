#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/error.h"
#include "daemon/access/access.h"
#include "daemon/connect/authorization_code_flow.h"
#include "daemon/connect/captures.h"
#include "daemon/connect/device_flow.h"
#include "daemon/connect/return_urls.h"
#include "daemon/connect/unattended_grants.h"
#include "daemon/provider/providers.h"

namespace nexus {

struct ConnectionRequest {
  std::string workspace;
  std::string provider_name;  ///< one of these two
  std::string provider_id;
  std::vector<std::string> scopes;  ///< empty: the provider's defaults
  std::string return_url;           ///< "" when nobody waits for the browser
  std::string alias;
  std::string replaces;  ///< id of the connection that goes when this one becomes active
  bool pasted = false;   ///< the person brings the answer by hand
  bool device = false;   ///< the person consents on another device (DeviceFlow)
  /// Of the authorization request, beside the provider's own: login_hint, prompt…
  std::vector<std::pair<std::string, std::string>> params;
};

struct StartedConnection {
  std::string connection_id;
  ConnectionStatus status =
      ConnectionStatus::pending;  ///< active at once where no person is needed
  /// Where the person goes: the provider's consent, our page, or (nobody is needed) straight back.
  std::string auth_url;
  std::string state;
  std::vector<std::string> scopes;
  std::string provider_id;
  UnixTime expires_at = 0;
  std::optional<DevicePrompt> device;
};

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
  Result<Provider> choose_provider(const ConnectionRequest& request);
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

/// Whether this can be an alias: it must not look like an id and must be easy to type.
Result<void> check_alias(const std::string& alias);

}  // namespace nexus
