#pragma once

#include <string>
#include <string_view>

#include "common/error.h"
#include "common/secret.h"
#include "daemon/crypto/envelope.h"

namespace nexus {

/// The envelope that a bundle of connections travels in: text of one line that only the holder of a
/// private key, or who knows a passphrase, can open. nexus-bundle(5) describes it for others.
///
///   "nexus-bundle:" base64(header nonce ciphertext tag crc32)
///
/// The header tells for whom it is sealed and how long the rest is, and is authenticated with the
/// rest (XChaCha20-Poly1305, under a key of this bundle's own, see envelope.h). The checksum at the
/// end is there to tell a bad copy from a wrong key, and proves nothing.

/// As HTTP carries one with what stands around it, in bytes of text.
inline constexpr std::size_t kLongestBundle = 768 * 1024;

/// `public_key` is a text. Error: invalid_field for one that is none, body_too_large.
Result<std::string> seal_bundle_for(std::string_view public_key, std::string_view document);
/// Takes half a second and 256 MiB. Errors: invalid_field for a passphrase that is too short,
/// body_too_large, failure without the memory.
Result<std::string> seal_bundle_with(const Secret& passphrase, std::string_view document);

/// What was sealed. Each fault has an error of its own: invalid_bundle for what is no bundle, cut,
/// damaged, altered or another version's; bundle_key_wrong for a key or passphrase that is not this
/// bundle's, or missing; invalid_field for a key that is none.
Result<Secret> open_bundle(std::string_view text, const EnvelopeOpener& opener);

}  // namespace nexus
