#pragma once

#include <cstddef>
#include <string_view>

#include "common/error.h"
#include "common/secret.h"

namespace nexus {

/// The keys that bundles of connections are sealed for and opened with (X25519, RFC 7748), as the
/// texts that people copy: what it is, 64 hexadecimal digits and 8 of their checksum.
///
///   nexus-pub-<hex of 32 bytes><hex of the CRC-32 of "nexus-pub-" and the bytes, big endian>
///
/// The private key's prefix is one that scanners of repositories can look for.
enum class BundleKey { public_key, private_key };

inline constexpr std::size_t kBundleKeyBytes = 32;

/// `bytes`: 32 of them.
SecretText bundle_key_text(BundleKey kind, std::string_view bytes);

/// The 32 bytes. Error: invalid_field, which tells a cut copy from the other kind of key and from
/// what is no key, and repeats nothing of it.
Result<Secret> read_bundle_key(BundleKey kind, std::string_view text);

}  // namespace nexus
