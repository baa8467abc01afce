#pragma once

#include "common/api/vault_status.h"
#include "common/error.h"
#include "common/secret.h"
#include "daemon/custody/root_keys.h"

namespace nexus {

/// Another root key for the vault.
struct WantedKey {
  KeySource to = KeySource::file;
  Secret current;  ///< the passphrase that opens it now, where one does
  Secret next;     ///< the new passphrase, or the key that somebody keeps: base64
};

/// Has the vault open with it. The vault key is wrapped anew, and no row is touched; killed at any
/// moment, nexusd opens the vault with the one or with the other.
/// Errors: vault_key_wrong for a passphrase that is not the vault's, invalid_field for a new one
/// that is too short or a key that is none, invalid_state where nexus.toml says something else or
/// the key would be the same, and those of the places.
Result<api::VaultKeyChange> change_key(RootKeys& keys, const WantedKey& wanted);

}  // namespace nexus
