#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/secret.h"

namespace nexus {

/// The key that vault.key_command prints: base64, on stdout. Waited for as long as a person needs
/// to open what it asks for. Errors: usage where there is no command, vault_key_wrong for what it
/// says, or where it fails.
Result<Secret> key_from_command(const std::vector<std::string>& command, bool vault_exists);

/// Under what the keyring has a key. Copies of a vault have its id, and are elsewhere.
struct KeyringEntry {
  std::string vault_id;
  std::string data_dir;
};

/// The desktop's keyring holds the key, and nothing else of ours; that of a vault which was moved
/// is found by its id alone. A program of its own speaks to it (nexus-keyring), so that one that
/// hangs, or asks, keeps it waiting for 3 s and not nexusd. Errors: vault_key_wrong, saying what
/// keeps the keyring from answering.
Result<std::optional<Secret>> key_from_keyring(const KeyringEntry& entry, bool vault_exists);
/// Puts it there and reads it again.
Result<void> put_key_in_keyring(const KeyringEntry& entry, const Secret& key);
Result<void> forget_key_in_keyring(const KeyringEntry& entry);

}  // namespace nexus
