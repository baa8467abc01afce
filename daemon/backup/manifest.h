#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/error.h"
#include "common/secret.h"

namespace nexus {

struct BackupFile {
  std::string name;  ///< "nexus.db", "audit.db" or "audit.head"
  std::uint64_t size = 0;
};

/// What a backup begins with. The vault in it opens with a key of its own, which is in here.
struct BackupManifest {
  UnixTime made_at = 0;
  std::string version;  ///< of the nexusd that made it
  Secret root_key;      ///< 32 bytes
  std::vector<BackupFile> files;
};

/// What a backup is of, in the order in which it has them.
inline constexpr const char* kBackupFiles[] = {"nexus.db", "audit.head", "audit.db"};

SecretText to_text(const BackupManifest& manifest);
/// Error: invalid_backup for one that is of another form, or names other files.
Result<BackupManifest> backup_manifest_from_text(std::string_view text);

}  // namespace nexus
