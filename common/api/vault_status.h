#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/api/reader.h"
#include "common/api/words.h"
#include "common/error.h"
#include "common/json.h"

namespace nexus::api {

/// What somebody could make use of, and what there is to do about it.
struct VaultWeakness {
  std::string code;  ///< stable: key_beside_vault, key_in_environment, old_key_file, earlier_copy,
                     ///< memory_not_locked, suspend_not_told
  std::string message;
  std::string hint;
};

/// All that is sealed, sealed with another vault key.
struct VaultRotation {
  bool done = false;
  std::int64_t fields = 0;  ///< values that were looked at so far
  std::int64_t left = 0;    ///< of them, damaged ones, which stay as they are
  std::string error{};      ///< why it ended early, "" where it did not
};

/// The vault and its key (/v1/vault).
struct VaultStatus {
  bool locked = false;
  bool is_new = false;  ///< it is to be made, with the passphrase that is given first
  KeySource key_source = KeySource::file;
  std::string data_dir;  ///< "" for one in memory
  /// Of a passphrase: Argon2id's passes, and KiB of memory.
  std::optional<std::int64_t> passes;
  std::optional<std::int64_t> memory_kib;
  bool memory_locked = true;  ///< keys and secrets are kept out of swap
  std::int64_t lock_after_minutes = 0;
  bool lock_on_suspend = false;
  std::vector<VaultWeakness> weaknesses;  ///< of an open vault
  /// Why it may not be the one that nexusd left, "" for no reason: nothing is refreshed by itself.
  std::string suspicion;
  std::optional<VaultRotation> rotation;  ///< the one that is under way, or was the last
};

Result<void> read(const Reader& from, VaultStatus& into);
void write(JsonWriter& to, const VaultStatus& status);

/// What became of a change of key.
struct VaultKeyChange {
  KeySource from = KeySource::file;
  KeySource to = KeySource::file;
  std::string left_behind;  ///< what of the old key could not be removed, "" for nothing
};

Result<void> read(const Reader& from, VaultKeyChange& into);
void write(JsonWriter& to, const VaultKeyChange& change);

/// What a look at everything has found (/v1/vault/verify).
struct VaultVerdict {
  std::int64_t values = 0;   ///< sealed values that were opened
  std::int64_t records = 0;  ///< of the audit log
  std::vector<std::string> findings;
  bool more_findings = false;
};

Result<void> read(const Reader& from, VaultVerdict& into);
void write(JsonWriter& to, const VaultVerdict& verdict);

}  // namespace nexus::api
