#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/api/connection.h"
#include "common/clock.h"
#include "common/error.h"
#include "daemon/access/access.h"
#include "daemon/audit.h"
#include "daemon/connection_permits.h"
#include "daemon/due.h"
#include "daemon/provider/providers.h"
#include "daemon/store/store.h"
#include "daemon/token/downscoped_tokens.h"
#include "daemon/token/revocations.h"

namespace nexus {

/// One page of a list.
struct ListedConnections {
  std::vector<ConnectionRow> connections;
  std::string next;  ///< where the next page begins (ConnectionPage::before), "" after the last one
};

/// Connections: found, described and ended. Blocks on the network in `revoke`. Thread-safe.
class Connections {
 public:
  Connections(Store& store, Providers& providers, ConnectionPermits& permits, Audit& audit,
              Revocations& revocations, DownscopedTokens& downscoped, Due& due, Clock clock,
              Clock wall_clock);

  /// A reference is a connection_id, an alias of the workspace, or a provider's name when it stands
  /// for exactly one usable connection; what the caller may not see does not exist. An alias that
  /// is a provider's name as well (which no new one can be) stands for its connection where that is
  /// the provider's only one, and is ambiguous else. Errors:
  /// connection_not_found, connection_out_of_scope, access_denied, connection_ambiguous.
  Result<ConnectionRow> find(const std::string& reference, const std::string& workspace,
                             const Caller& caller, Right right);
  /// The newest connection of a provider (by name) in the workspace that is active or, where none
  /// is, one that needs attention. Error: connection_not_found.
  Result<ConnectionRow> newest(const std::string& provider_name, const std::string& workspace,
                               const Caller& caller);
  /// What the caller may see of them. A page may be short although there is a next one.
  Result<ListedConnections> list(ConnectionPage page, const Caller& caller);
  api::Connection describe(const ConnectionRow& row) const;

  /// Error: alias_taken.
  Result<void> set_alias(const ConnectionRow& row, const std::string& alias, const Caller& caller);
  /// Who may use it from now on; the new ones on record.
  Result<void> set_use_rules(const ConnectionRow& row, const api::UseRules& rules,
                             const Caller& caller);
  /// An alias_taken, with what has it where the caller may see that.
  Error explain(Error error, const std::string& alias, const std::string& workspace,
                const Caller& caller);
  /// Takes the tokens out of everybody's reach here and ends what goes on with them, then asks the
  /// provider to forget them (Revocations) unless `keep_grant`; `reason` is for the record. A
  /// repeat reports how that stands.
  Result<api::Disconnection> revoke(const ConnectionRow& row, bool keep_grant,
                                    const std::string& reason, const Caller& caller);

 private:
  Result<ConnectionRow> find_row(const std::string& reference, const std::string& workspace,
                                 const Caller& caller);
  /// The alias or provider's name that was most likely meant, of the connections in the workspace
  /// that the caller may see.
  std::optional<std::string> meant_by(const std::string& reference, const std::string& workspace,
                                      const Caller& caller);
  /// connection_not_found, with the way there where the reference is a provider's name.
  Error not_connected(const std::string& reference, const std::string& workspace,
                      const Caller& caller);

  Store& store_;
  Providers& providers_;
  ConnectionPermits& permits_;
  Audit& audit_;
  Revocations& revocations_;
  DownscopedTokens& downscoped_;
  Due& due_;
  Clock clock_;
  Clock wall_clock_;
};

}  // namespace nexus
