#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/api/connection.h"
#include "common/clock.h"
#include "common/error.h"
#include "daemon/access/access.h"
#include "daemon/audit.h"
#include "daemon/connect/authorization_code_flow.h"
#include "daemon/connect/captures.h"
#include "daemon/connect/device_flow.h"
#include "daemon/connect/flows.h"
#include "daemon/connect/unattended_grants.h"
#include "daemon/provider/providers.h"
#include "daemon/store/store.h"
#include "daemon/token/downscoped_tokens.h"
#include "daemon/token/revocations.h"

namespace nexus {

struct ConnectionRequest {
  std::string workspace;
  std::string provider_name;  ///< one of these two
  std::string provider_id;
  std::vector<std::string> scopes;  ///< empty: the provider's defaults
  std::string return_url;           ///< "" when nobody waits for the browser
  std::string alias;
  std::string replaces;  ///< id of the connection that goes when this one becomes active
  bool pasted = false;   ///< the person brings the answer by hand (AuthorizationCodeFlow::begin)
  bool device = false;   ///< the person consents on another device (DeviceFlow)
  /// Of the authorization request, beside the provider's own: login_hint, prompt…
  std::vector<std::pair<std::string, std::string>> params;
};

struct StartedConnection {
  std::string connection_id;
  std::string status = "pending";  ///< active at once where no person is needed
  /// Where the person goes: the provider's consent, our page, or (nobody is needed) straight back.
  std::string auth_url;
  std::string state;
  std::vector<std::string> scopes;
  std::string provider_id;
  UnixTime expires_at = 0;
  std::optional<DevicePrompt> device;
};

struct RevocationReport {
  std::string connection_id;
  std::string provider;
  UnixTime revoked_at = 0;
  bool already_revoked = false;
  RevocationState at_provider;
};

/// Connections: asked for, found, described and ended. Blocks on the network in `request` and
/// `revoke`. Thread-safe.
class Connections {
 public:
  Connections(Store& store, Providers& providers, Audit& audit, Flows& flows,
              AuthorizationCodeFlow& code_flow, Captures& captures,
              UnattendedGrants& unattended_grants, DeviceFlow& device_flow,
              Revocations& revocations, DownscopedTokens& downscoped, Clock clock);

  /// Errors: missing_fields, invalid_field, provider_not_found, alias_taken, access_denied,
  /// return_url_not_allowed, callback_unavailable, and what the provider's metadata brings.
  Result<StartedConnection> request(const ConnectionRequest& request, const Caller& caller);

  /// Makes an active connection of a refresh token that the person has from elsewhere. Errors:
  /// those of `request`, and of UnattendedGrants::adopt.
  Result<ConnectionRow> adopt(const ConnectionRequest& request, const Secret& refresh_token,
                              const Caller& caller);

  /// A reference is a connection_id, an alias of the workspace, or a provider's name when it stands
  /// for exactly one usable connection; what the caller may not see does not exist. Errors:
  /// connection_not_found, connection_out_of_scope, access_denied, connection_ambiguous.
  Result<ConnectionRow> find(const std::string& reference, const std::string& workspace,
                             const Caller& caller, Right right);
  /// The newest connection of a provider (by name) in the workspace that is active or, where none
  /// is, one that needs attention. Error: connection_not_found.
  Result<ConnectionRow> newest(const std::string& provider_name, const std::string& workspace,
                               const Caller& caller);
  /// What the caller may see of them.
  Result<std::vector<ConnectionRow>> list(const ConnectionFilter& filter, const Caller& caller);
  api::Connection describe(const ConnectionRow& row) const;

  Result<void> set_alias(const ConnectionRow& row, const std::string& alias, const Caller& caller);
  /// Takes the tokens out of everybody's reach here, then asks the provider to forget them
  /// (Revocations) unless `keep_grant`; `reason` is for the record. A repeat reports how that
  /// stands.
  Result<RevocationReport> revoke(const ConnectionRow& row, bool keep_grant,
                                  const std::string& reason, const Caller& caller);

 private:
  /// The pending connection that a request asks for.
  Result<ConnectionRow> prepare(const ConnectionRequest& request, const Provider& provider,
                                const Caller& caller);
  Result<Provider> choose_provider(const ConnectionRequest& request);
  Result<ConnectionRow> find_row(const std::string& reference, const std::string& workspace,
                                 const Caller& caller);

  Store& store_;
  Providers& providers_;
  Audit& audit_;
  Flows& flows_;
  AuthorizationCodeFlow& code_flow_;
  Captures& captures_;
  UnattendedGrants& unattended_grants_;
  DeviceFlow& device_flow_;
  Revocations& revocations_;
  DownscopedTokens& downscoped_;
  Clock clock_;
};

/// Whether this can be an alias: it must not look like an id and must be easy to type.
Result<void> check_alias(const std::string& alias);

}  // namespace nexus
