#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/error.h"
#include "common/secret.h"

namespace nexus {

/// What a vault needs beside its root key to be opened: nothing in here is secret, everything is
/// authenticated.
struct VaultHeader {
  std::string vault_id;  ///< 16 random bytes
  /// The vault key, sealed under the key-encryption key; as generation 1 where the rows of the
  /// store carry message authentication codes, 0 where they do not yet (nexusd 0.1).
  std::string wrapped_key;
};

/// Which value a sealed text is. All of it is authenticated with the text, so a row, a field or a
/// whole record moved to another place, or to another vault, does not open.
struct SealedPlace {
  std::string_view kind;        ///< "connection" or "provider"
  std::string_view owner;       ///< the connection's or provider's id
  std::string_view field;       ///< "access_token", "refresh_token", "client_secret"…
  std::int64_t generation = 0;  ///< counts the writes of this field
};

/// Seals secrets with XChaCha20-Poly1305 (libsodium's IETF construction, random 192-bit nonces).
///
/// Keys: root key → key-encryption key → vault key (random, wrapped) → one subkey for each purpose
/// (crypto_kdf contexts), so that a subkey that leaks opens nothing else. Thread-safe: it never
/// changes once it is open.
class Vault {
 public:
  /// A new vault under `root_key` (32 bytes). The caller stores the header.
  static Vault create(const Secret& root_key, VaultHeader& header);

  /// Errors: vault_key_wrong, without a word about which part did not fit.
  static Result<Vault> open(const Secret& root_key, const VaultHeader& header);

  /// The header from the time on at which the rows of its store carry codes; nothing where it is
  /// this one. Only who has the root key can say that they do not. Errors: as `open`.
  static Result<std::optional<VaultHeader>> with_row_macs(const Secret& root_key,
                                                          const VaultHeader& header);

  /// Plaintexts are padded to 64 bytes, so a length tells little.
  std::string seal(const SealedPlace& place, std::string_view plaintext) const;

  /// Errors: vault_unusable, naming the place, when the text was altered or moved.
  Result<Secret> open(const SealedPlace& place, std::string_view sealed) const;

  /// HMAC-SHA512-256 under the key kept for authorization states.
  std::string authenticate_state(std::string_view message) const;

  /// Tells two secrets apart without revealing either: keyed BLAKE2b, 4 bytes of it in hex.
  std::string fingerprint(std::string_view secret) const;

  /// Keyed BLAKE2b: what is stored of an API key. Keys are random, so no slow hash is needed;
  /// keyed, so that a stolen file cannot even confirm a key.
  std::string hash_api_key(std::string_view key) const;

  /// What the message authentication codes of the store's rows are made with.
  const Secret& row_key() const { return row_key_; }

 private:
  Vault(std::string vault_id, const Secret& vault_key);
  std::string vault_id_;
  Secret sealing_key_;
  Secret state_key_;
  Secret api_key_key_;
  Secret fingerprint_key_;
  Secret row_key_;
};

}  // namespace nexus
