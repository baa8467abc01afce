#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/error.h"
#include "common/secret.h"

namespace nexus {

// What bundles and backups have in common: who can open them. Each is sealed with a key of its own,
// and that key is sealed for a public key (libsodium's crypto_box_seal) or derived from a
// passphrase (Argon2id). What is needed to come to it again stands in the clear at their beginning:
//
//   for a public key: that key (32 bytes), and the sealed one (80)
//   for a passphrase: salt (16), passes (4, big endian), KiB of memory (4, big endian)

enum class SealedFor : unsigned char { public_key = 1, passphrase = 2 };

/// Which one a byte stands for, and how many bytes its part of the beginning has; 0 for no one.
std::size_t recipient_size(unsigned char sealed_for);

/// The key of one envelope, 32 bytes, and what stands in the clear for it.
struct EnvelopeKey {
  SealedFor sealed_for = SealedFor::public_key;
  std::string recipient;
  Secret key;
};

/// For the holder of a private key; `public_key` is a text (common/bundle_key.h). Error:
/// invalid_field for one that is none.
Result<EnvelopeKey> envelope_key_for(std::string_view public_key);
/// Takes half a second and 256 MiB. Errors: invalid_field for a passphrase that is too short,
/// failure without the memory.
Result<EnvelopeKey> envelope_key_with(const Secret& passphrase);

/// What opens one: one of them is enough, and the one that it was sealed for counts.
struct EnvelopeOpener {
  Secret private_key{};  ///< as a text
  Secret passphrase{};
};

/// What it is that is opened, in the words and with the codes of its errors.
struct EnvelopeKind {
  const char* name;         ///< "bundle"
  const char* made_anew;    ///< a hint: "export it anew"
  ErrorCode altered;        ///< of one that is not what somebody made
  ErrorCode does_not_open;  ///< of a key that is not this one's, or is missing
};

/// The key. A wrong passphrase is seen when it is used, and not here. Errors: `does_not_open` for a
/// private key that is another one's, or an opener without the one that is needed; `altered`;
/// invalid_field for a private key that is none.
Result<Secret> open_envelope(const EnvelopeKind& kind, SealedFor sealed_for,
                             std::string_view recipient, const EnvelopeOpener& opener);

}  // namespace nexus
