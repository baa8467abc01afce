#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/error.h"
#include "daemon/audit.h"
#include "daemon/bundle/document.h"
#include "daemon/bundle/moves.h"
#include "daemon/crypto/sealed_bundle.h"
#include "daemon/due.h"
#include "daemon/provider/registry.h"
#include "daemon/store/store.h"
#include "daemon/vault/vault.h"

namespace nexus {

/// What came of a bundle.
struct ImportedBundle {
  std::vector<std::string> providers;      ///< names of those that were registered
  std::vector<ConnectionRow> connections;  ///< all of the bundle's, as they are here now
  bool moved = false;                      ///< nobody else holds them
  std::vector<std::string> rotating;  ///< ids of those whose refresh token a refresh may replace
};

/// What a nexusd without files has to warn of, "" for nothing: what is refreshed there is lost with
/// it.
std::string loss_to_come(const ImportedBundle& imported);

/// Opens bundles and takes what is in them in. Nothing is fetched. Blocks for the key's derivation,
/// and on a refresh under way of what is replaced. Thread-safe.
class BundleImporter {
 public:
  BundleImporter(Store& store, const Vault& vault, ProviderRegistry& registry, Audit& audit,
                 Moves& moves, Due& due, Clock clock, Clock wall_clock);

  /// All of it or nothing, on record first. A provider that is registered alike is used; a
  /// connection that is here with the same secrets stays as it is. Errors: those of open_bundle and
  /// bundle_from_text; provider_exists for another one of its name, telling what differs;
  /// connection_exists, unless `replace`; alias_taken.
  Result<ImportedBundle> take_in(std::string_view bundle, const EnvelopeOpener& opener,
                                 bool replace, const Caller& caller);

 private:
  /// Providers by the bundle's ids, and what has to be written.
  struct Work {
    std::map<std::string, Provider> providers;
    TakenIn writes;
    std::vector<std::string> records;
    ImportedBundle imported;
    std::vector<ConnectionRow> replaced;  ///< active ones, which are not refreshed meanwhile
  };
  Result<void> prepare(const BundledProvider& provider, const Caller& caller, Work& work);
  Result<void> prepare(const BundledConnection& connection, const Caller& caller, Work& work);
  Result<bool> is_here_alike(const BundledConnection& connection);
  Result<void> make_room_for(const ConnectionRow& row, Work& work);

  Store& store_;
  const Vault& vault_;
  ProviderRegistry& registry_;
  Audit& audit_;
  Moves& moves_;
  Due& due_;
  Clock clock_;
  Clock wall_clock_;
};

}  // namespace nexus
