#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/error.h"
#include "common/secret.h"
#include "daemon/vault/root_key.h"

namespace nexus {

/// How much of what lies beside the sealed values is authenticated. It is the generation of the
/// sealed vault key: only who has the root key can say that a vault is at an earlier one.
enum class VaultStage : std::int64_t {
  sealed = 0,      ///< nothing is
  with_codes = 1,  ///< rows carry message authentication codes
  chained = 2,     ///< and the records of the audit log are chained
  tallied = 3      ///< and writes and rows are counted
};

/// What a vault needs beside its root key to be opened: nothing in here is secret, everything is
/// authenticated.
struct VaultHeader {
  std::string vault_id;     ///< 16 random bytes
  std::string wrapped_key;  ///< the vault key, sealed under the key-encryption key
  /// Where the root key is, as somebody has chosen; nothing where nobody has. Not authenticated:
  /// who alters it has nexusd look in vain.
  std::optional<KeySource> key_source{};
  std::string key_derivation{};  ///< see RootKey
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
/// (crypto_kdf contexts), so that a subkey that leaks opens nothing else. Thread-safe.
///
/// Vault keys are numbered from 1. A rotation replaces what seals and what makes the rows' codes;
/// what is kept of API keys, states, fingerprints and the audit log goes on from the first one.
class Vault {
 public:
  /// Of a vault that is to be made.
  static std::string make_id();
  /// The vault's own, 16 bytes.
  const std::string& id() const { return vault_id_; }

  /// A new vault under `root_key` (32 bytes), with codes. The caller stores the header, and has
  /// said in it where the root key comes from.
  static Vault create(const Secret& root_key, VaultHeader& header);

  /// Errors: vault_key_wrong, without a word about which part did not fit.
  static Result<Vault> open(const Secret& root_key, const VaultHeader& header);

  /// The header from the time on at which the vault is at that stage. Errors: as `open`.
  static Result<VaultHeader> at_stage(const Secret& root_key, const VaultHeader& header,
                                      VaultStage stage);

  /// The header with which `to` opens the vault from then on, and `root_key` does not. Nothing that
  /// is sealed in it changes. Errors: as `open`.
  static Result<VaultHeader> rewrap(const Secret& root_key, const VaultHeader& header,
                                    const RootKey& to);

  /// The header of a vault that goes over to a new vault key, and still opens what is sealed with
  /// the present one. Errors: as `open`; invalid_state where it goes over to one already.
  static Result<VaultHeader> begin_rotation(const Secret& root_key, const VaultHeader& header);
  /// The header of one where nothing is sealed with the earlier key any more. Errors: as `open`.
  static Result<VaultHeader> end_rotation(const Secret& root_key, const VaultHeader& header);
  /// Seals with the vault key of that header from now on, and opens what is sealed with that one
  /// and with the present one. Before anybody else can read what is sealed so. Errors: as `open`.
  Result<void> go_over_to(const Secret& root_key, const VaultHeader& header);
  /// Whether the header has an earlier key, too.
  bool is_rotating() const { return keys()->earlier.has_value(); }

  VaultStage stage() const { return stage_; }

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

  /// Sealed with the present vault key. Another one is opened and sealed anew; one that does not
  /// open stays as it is.
  std::string seal_anew(const SealedPlace& place, std::string_view sealed) const;
  /// Whether it was sealed with the present one.
  bool is_sealed_now(std::string_view sealed) const;

  /// What the message authentication codes of the store's rows are made with.
  struct RowKeys {
    Secret present;
    Secret earlier;  ///< of rows that were not changed since a rotation began; "" for none
  };
  /// As they are now, for as long as they are held.
  std::shared_ptr<const RowKeys> row_keys() const;

  /// What the count of writes and rows is authenticated with.
  const Secret& tally_key() const { return tally_key_; }

  /// What the records of the audit log are chained with, and nothing else is made with.
  const Secret& audit_key() const { return audit_key_; }
  /// What their codes are made with: it outlives a rotation, as the chain does.
  const Secret& audit_row_key() const { return audit_row_key_; }

 private:
  struct Numbered {
    std::uint32_t number = 1;
    Secret sealing_key;
  };
  /// What a rotation replaces.
  struct Keys {
    Numbered present;
    std::optional<Numbered> earlier;
    RowKeys rows;
  };
  struct VaultKeys;  ///< what a header has

  Vault(std::string vault_id, VaultStage stage, const VaultKeys& keys);
  static Keys keys_of(const VaultKeys& keys);
  std::shared_ptr<const Keys> keys() const;

  std::string vault_id_;
  VaultStage stage_;
  std::shared_ptr<const Keys> keys_;  ///< read and replaced as one: atomic_load, atomic_store
  Secret state_key_;
  Secret api_key_key_;
  Secret fingerprint_key_;
  Secret tally_key_;
  Secret audit_row_key_;
  Secret audit_key_;
};

}  // namespace nexus
