#pragma once

#include <string>
#include <vector>

#include "common/clock.h"
#include "common/error.h"
#include "daemon/oauth/client.h"
#include "daemon/provider/metadata_cache.h"
#include "daemon/provider/providers.h"
#include "daemon/store/store.h"
#include "daemon/token/downscoped_tokens.h"
#include "daemon/token/refresh_ledger.h"
#include "daemon/token/revocations.h"
#include "daemon/vault/sealed_fields.h"
#include "daemon/vault/vault.h"

namespace nexus {

/// One refresh, from the connection's record to the stored result. A refresh token that is about to
/// be sent is on record before it leaves, and a new one is stored before anybody hears of it.
/// Blocks on the network. The caller sees to it that a connection is refreshed by one thread at a
/// time.
class Refresh {
 public:
  Refresh(const Vault& vault, Providers& providers, MetadataCache& metadata, RefreshLedger& ledger,
          DownscopedTokens& downscoped, Revocations& revocations, Clock clock);

  /// Two reads of the store: `record` was the first one. What is refreshed for a target of its own
  /// goes to DownscopedTokens. Errors: attention_required, no_refresh_token,
  /// provider_misconfigured, upstream_error (with the time to wait), scope_not_allowed, …
  Result<void> run(ConnectionRecord record, const TokenTarget& target);

 private:
  /// Whose token, where it comes from and what it is for.
  struct Errand {
    ConnectionRow row;
    SealedFields secrets;
    ProviderClient ours;
    TokenTarget target;
  };
  Result<void> ask_as_client(const Errand& errand);
  Result<void> use_refresh_token(const Errand& errand, const Secret& token);
  Result<void> without_refresh_token(const ConnectionRow& row);
  Result<void> store(const Errand& errand, const TokenResponse& response, UnixTime sent_at);
  Result<void> check_identity(const Errand& errand, const TokenResponse& response);
  Result<void> keep(const Errand& errand, const Secret& refresh_token);
  /// `issued`: the tokens of the answer, to be revoked where nobody wants them any more.
  Result<void> save(const Errand& errand, Refreshed refreshed,
                    const std::vector<SealedField>& issued);

  const Vault& vault_;
  Providers& providers_;
  MetadataCache& metadata_;
  RefreshLedger& ledger_;
  DownscopedTokens& downscoped_;
  Revocations& revocations_;
  Clock clock_;
};

}  // namespace nexus
