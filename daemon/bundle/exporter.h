#pragma once

#include <string>
#include <vector>

#include "common/clock.h"
#include "common/error.h"
#include "common/secret.h"
#include "daemon/audit.h"
#include "daemon/bundle/document.h"
#include "daemon/bundle/moves.h"
#include "daemon/provider/providers.h"
#include "daemon/store/store.h"
#include "daemon/vault/vault.h"

namespace nexus {

/// A bundle that somebody wants, sealed for a public key or with a passphrase.
struct BundleOrder {
  std::vector<ConnectionRow> connections;
  std::string public_key;  ///< "" where there is a passphrase
  Secret passphrase;
  bool move = false;  ///< the bundle is to be their only holder
};

/// Makes bundles: what the vault has of these connections and of their providers leaves it here,
/// and only sealed. Blocks on refreshes under way, and for the key's derivation. Thread-safe.
class BundleExporter {
 public:
  BundleExporter(Store& store, const Vault& vault, Providers& providers, Audit& audit, Moves& moves,
                 Clock wall_clock);

  /// The text, once each connection's record is committed: all of them or none. Errors: those of
  /// not_active for one that is not active; refresh_token_rotates for one that two cannot hold, and
  /// that is not moved; those of seal_bundle_for and seal_bundle_with.
  Result<std::string> make(const BundleOrder& order, const Caller& caller);

 private:
  Result<std::string> seal(const BundleOrder& order, const Caller& caller);
  Result<BundledConnection> open(const ConnectionRow& row, bool move);
  Result<BundledProvider> open_provider(const ConnectionRow& row);

  Store& store_;
  const Vault& vault_;
  Providers& providers_;
  Audit& audit_;
  Moves& moves_;
  Clock wall_clock_;
};

}  // namespace nexus
