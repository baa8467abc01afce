#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/config.h"
#include "common/error.h"
#include "common/secret.h"
#include "daemon/vault/vault.h"

namespace nexus {

/// What is said of where the root key is.
struct KeyPlaces {
  std::string data_dir;                ///< `vault.key` is in there
  std::optional<KeySource> source{};   ///< vault.key_source, where nexus.toml has one
  std::vector<std::string> command{};  ///< vault.key_command
};

/// What the settings say of it.
KeyPlaces key_places_of(const Config& config);

/// Where a vault's root key is to be had, one choice or the other: nexus.toml's or the one that is
/// stored with the vault. Nothing where nobody has chosen: then it is looked for in the
/// environment, among the service manager's credentials and in the key file, in this order. Error:
/// vault_key_wrong where nexus.toml and the vault differ.
Result<std::optional<KeySource>> chosen_source(const KeyPlaces& places, const VaultHeader& header);

/// The vault's root key. One that comes from the environment (NEXUS_ENCRYPTION_KEY or
/// ENCRYPTION_KEY) is removed from there once read. A new vault's `header` has no wrapped key yet.
///
/// `given` is what a person typed, or "": the passphrase, or the key itself where it was the
/// environment's. Nothing is made, so there is no key where a first start would make one.
/// Errors: vault_locked where a person has to be asked, vault_key_wrong (malformed or missing),
/// vault_unusable (permissions, I/O), failure (memory for a passphrase).
Result<std::optional<RootKey>> find_root_key(const KeyPlaces& places, const VaultHeader& header,
                                             const Secret& given = {});

/// The same, but that a new vault's key is made where it is kept by nexusd itself. Where there is a
/// vault already a missing key is an error, never a new key.
Result<RootKey> load_root_key(const KeyPlaces& places, const VaultHeader& header,
                              const Secret& given = {});

/// Where nexusd keeps it itself, in a file or in the keyring, it is put there; elsewhere somebody
/// has. A file has the name of one that is to come until `settle_key_file`. Errors: vault_unusable,
/// vault_key_wrong.
Result<void> keep_root_key(const KeyPlaces& places, const std::string& vault_id,
                           const RootKey& root);
/// It opens nothing any more but copies of the vault.
Result<void> forget_root_key(const KeyPlaces& places, const std::string& vault_id,
                             KeySource source);

/// Whether a key file that was to come opens the vault: the next start puts it in place.
bool coming_key_opens(const KeyPlaces& places, const VaultHeader& header);

/// Of a key file that was to come, what a nexusd that was killed has left: it takes its place where
/// the vault opens with it, and goes where it does not.
Result<void> settle_key_file(const KeyPlaces& places, const VaultHeader& header);

}  // namespace nexus
