#pragma once

#include <string>

#include "common/clock.h"
#include "common/error.h"
#include "daemon/connection_permits.h"
#include "daemon/due.h"
#include "daemon/oauth/token_response.h"
#include "daemon/provider/metadata_cache.h"
#include "daemon/provider/providers.h"
#include "daemon/store/store.h"
#include "daemon/vault/vault.h"

namespace nexus {

/// What a grant brought, and how it was asked for.
struct FirstTokens {
  const TokenResponse& response;
  UnixTime sent_at = 0;  ///< when the request was sent: lives count from there
  /// What the id_token has to carry; empty where the request could not name one.
  const Secret& nonce;
  bool needs_id_token = false;
};

/// The one place where a pending connection becomes active, whatever it came by. For OAuth the
/// identity is checked, the tokens are sealed, and the first refresh is planned. What goes on with
/// the connection that it replaces ends. Blocks on the network. Thread-safe.
class Activation {
 public:
  Activation(Store& store, const Vault& vault, ConnectionPermits& permits, MetadataCache& metadata,
             Due& due, Clock clock, Clock wall_clock);

  /// The connection as it is from now on. Errors: invalid_id_token (it, or the account, does not
  /// hold), provider_rejected (another account than that of the connection to replace; removed
  /// meanwhile).
  Result<ConnectionRow> activate(const ConnectionRow& row, const ProviderClient& ours,
                                 const FirstTokens& tokens);

  /// The same with static credentials (a JSON object). Error: provider_rejected when it was removed
  /// meanwhile.
  Result<void> activate_static(const ConnectionRow& row, const SecretText& credentials,
                               const std::string& account);

 private:
  /// Whose account it is, where the id_token did not say. Error: invalid_id_token when somebody
  /// else's is told than the id_token's.
  Result<void> learn_account(ConnectionRow& active, const ProviderClient& ours,
                             const Secret& access_token);
  Result<void> check_replaced(const ConnectionRow& active);

  Store& store_;
  const Vault& vault_;
  ConnectionPermits& permits_;
  MetadataCache& metadata_;
  Due& due_;
  Clock clock_;
  Clock wall_clock_;
};

}  // namespace nexus
