#pragma once

#include <string>

#include "common/error.h"
#include "common/secret.h"

namespace nexus {

struct RootKey {
  Secret key;          ///< 32 bytes
  std::string source;  ///< "environment", "credential" or "file", for `nexus daemon status`
};

/// The vault's root key: NEXUS_ENCRYPTION_KEY (or ENCRYPTION_KEY), which is removed from the
/// environment once read, else `nexusd.vault.key` among the credentials that the service manager
/// gives (CREDENTIALS_DIRECTORY), else the file `vault.key` in the data directory.
///
/// That file is made on first start only: `vault_exists` says that there is a vault already, and
/// then a missing key is an error, never a new key.
/// Errors: vault_key_wrong (malformed or missing), vault_unusable (permissions, I/O).
Result<RootKey> load_root_key(const std::string& data_dir, bool vault_exists);

}  // namespace nexus
