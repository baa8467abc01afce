#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/api/connection.h"
#include "common/clock.h"
#include "common/error.h"
#include "daemon/oauth/authorization_response.h"
#include "daemon/service/access.h"
#include "daemon/service/audit.h"
#include "daemon/service/callback_listener.h"
#include "daemon/service/provider_directory.h"
#include "daemon/service/providers.h"
#include "daemon/service/return_urls.h"
#include "daemon/store/store.h"
#include "daemon/vault/vault.h"

namespace nexus {

/// How long a person may take to consent, in seconds.
constexpr UnixTime kConsentLife = 600;

struct ConnectionRequest {
  std::string workspace;
  std::string provider_name;  ///< one of these two
  std::string provider_id;
  std::vector<std::string> scopes;  ///< empty: the provider's defaults
  std::string return_url;           ///< "" when nobody waits for the browser
  std::string alias;
  std::string replaces;  ///< id of the connection that goes when this one becomes active
};

struct StartedConnection {
  std::string connection_id;
  std::string auth_url;
  std::string state;
  std::vector<std::string> scopes;
  std::string provider_id;
  UnixTime expires_at = 0;
};

/// What the person at the browser is to see, and where the browser goes next.
struct CallbackOutcome {
  bool active = false;
  bool denied = false;
  std::string connection_id;
  std::string provider;
  std::string message;      ///< cleaned for display
  std::string redirect_to;  ///< "" to show a page
};

struct RevocationReport {
  std::string connection_id;
  std::string provider;
  UnixTime revoked_at = 0;
  bool already_revoked = false;
  bool provider_revoked = false;
  std::string provider_error;
};

/// Connections from the first request to their end. Blocks on the network in `request`, `complete`
/// and `revoke`. Thread-safe.
class Connections {
 public:
  Connections(Store& store, const Vault& vault, Providers& providers, ProviderDirectory& directory,
              HttpClient& http, Audit& audit, CallbackListener& listener, ReturnUrls return_urls,
              Clock clock);

  /// Errors: missing_fields, invalid_field, provider_not_found, alias_taken, access_denied,
  /// return_url_not_allowed, callback_unavailable, and what the provider's metadata brings.
  Result<StartedConnection> request(const ConnectionRequest& request, const Caller& caller);

  /// Answers a pending connection: the one place where it becomes active or failed. `uri` is the
  /// redirect URI that was called, without query. Error: invalid_state for whatever does not belong
  /// to an open flow, which it leaves as it is.
  Result<CallbackOutcome> complete(const std::string& uri,
                                   const std::vector<std::pair<std::string, std::string>>& query,
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
  /// Asks the provider to forget the tokens (RFC 7009) unless `keep_grant`, then destroys them here
  /// whatever it said; `reason` is for the record. A repeat reports the first outcome.
  Result<RevocationReport> revoke(const ConnectionRow& row, bool keep_grant,
                                  const std::string& reason, const Caller& caller);

  /// Fails what nobody answered in time; closes the callback listener when nobody is expected.
  /// Meant to be called now and then while `expecting()`.
  void sweep();
  bool expecting();
  /// Listens again for flows that were open when the daemon stopped.
  Result<void> resume();

 private:
  Result<Provider> choose_provider(const ConnectionRequest& request);
  Result<ConnectionRow> find_row(const std::string& reference, const std::string& workspace,
                                 const Caller& caller);
  std::string return_to(const ConnectionRow& row,
                        const std::vector<std::pair<std::string, std::string>>& parameters) const;
  std::string sign_state(const std::string& random, const std::string& connection_id,
                         const std::string& issuer, const std::string& redirect_uri) const;
  Result<FlowRow> flow_of(const AuthorizationResponse& response, const std::string& uri);
  Result<ConnectionRow> exchange(const ConnectionRow& row, const FlowRow& flow,
                                 const ProviderEndpoints& endpoints, const Secret& code);
  CallbackOutcome fail(const ConnectionRow& row, const std::string& code,
                       const std::string& message, const Caller& caller);
  RevocationReport revoke_at_provider(const ConnectionRow& row);

  Store& store_;
  const Vault& vault_;
  Providers& providers_;
  ProviderDirectory& directory_;
  HttpClient& http_;
  Audit& audit_;
  CallbackListener& listener_;
  ReturnUrls return_urls_;
  Clock clock_;
  /// Keeps `sweep` from closing the listener between its opening and the flow's being stored.
  std::mutex listener_mutex_;
};

/// Whether this can be an alias: it must not look like an id and must be easy to type.
Result<void> check_alias(const std::string& alias);

/// From when on a fetch refreshes: six minutes before the end, or a fifth of a short life.
UnixTime refresh_margin(const TokenFacts& token);

}  // namespace nexus
