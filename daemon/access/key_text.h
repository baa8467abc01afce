#pragma once

#include <string>
#include <string_view>

#include "common/secret.h"

namespace nexus {

// How a key of ours reads: `PREFIX_ID_SECRET`, ten characters that name it, then 43 of base 62 (256
// random bits) and six of checksum over everything before (SHA-256), so that scanners for leaked
// secrets can tell a key from noise.

/// `prefix`: "nxk_". A new one each time.
SecretText new_key(std::string_view prefix);
/// The id inside a key; "" for what does not look like one of this prefix.
std::string id_in_key(std::string_view prefix, std::string_view key);
/// The first key of this prefix in a text; "" where there is none.
std::string_view find_key(std::string_view prefix, std::string_view text);

}  // namespace nexus
