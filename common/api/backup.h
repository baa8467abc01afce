#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/api/reader.h"
#include "common/api/words.h"
#include "common/clock.h"
#include "common/error.h"
#include "common/json.h"

namespace nexus::api {

/// What POST /v1/vault/backup answers.
struct VaultBackup {
  std::string file;  ///< in the data directory: whoever asked takes it from there
  std::int64_t bytes = 0;
  std::int64_t connections = 0;  ///< active ones, and those that need a person
  UnixTime made_at = 0;
};

Result<void> read(const Reader& from, VaultBackup& into);
void write(JsonWriter& to, const VaultBackup& backup);

/// What became of a backup, or would (`nexusd --restore`).
struct RestoredVault {
  UnixTime made_at = 0;      ///< the backup
  std::string data_dir;      ///< where it is now
  bool other_vault = false;  ///< it is not of the vault that was here
  std::int64_t connections = 0;
  std::vector<std::string> providers;  ///< names
  std::vector<std::string> api_keys;   ///< names: they are valid as they were then
  KeySource key_source = KeySource::file;
  /// Connections whose refresh token the provider has replaced before, and may have since.
  std::vector<std::string> rotating;
  std::vector<std::string> findings;  ///< what was not as it was written when it was made
  std::string put_aside;              ///< where the vault is that was there, "" for none
};

Result<void> read(const Reader& from, RestoredVault& into);
void write(JsonWriter& to, const RestoredVault& restored);

}  // namespace nexus::api
