#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/error.h"
#include "common/secret.h"

namespace nexus {

/// A passphrase that seals what may be copied has at least so many characters: whoever has a copy
/// can try any number of them.
inline constexpr std::size_t kShortestPassphrase = 12;

/// How a key is made from a passphrase: Argon2id (RFC 9106), one lane. Nothing of it is secret.
struct PassphraseDerivation {
  std::uint32_t passes = 0;
  std::uint32_t memory_kib = 0;
  std::string salt;  ///< 16 bytes

  /// As libsodium's MODERATE has it, with a new salt.
  static PassphraseDerivation make();

  /// Not so little that passphrases are cheap to try, nor so much that it takes a machine down: who
  /// wrote the file may be somebody else.
  bool is_acceptable() const;

  /// "argon2id$3$262144$SALT": passes, KiB, and the salt in base64.
  std::string text() const;
  /// Nothing for what is none, or is not acceptable.
  static std::optional<PassphraseDerivation> parse(std::string_view text);
};

/// Error: invalid_field for one that is too short to be chosen.
Result<void> check_new_passphrase(const Secret& passphrase);

/// 32 bytes. Takes the memory that it says and about a second; one at a time. Error: failure where
/// the memory is not there.
Result<Secret> key_from(const Secret& passphrase, const PassphraseDerivation& derivation);

}  // namespace nexus
