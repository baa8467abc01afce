#pragma once

#include <string>
#include <string_view>

#include "common/secret.h"

namespace nexus {

// How keys of ours are made (common/own_keys.h says how they read). The checksum is over everything
// before (SHA-256), so that scanners for leaked secrets can tell a key from noise.

/// `prefix`: "nxk_". A new one each time.
SecretText new_key(std::string_view prefix);
/// The id inside a key; "" for what does not look like one of this prefix.
std::string id_in_key(std::string_view prefix, std::string_view key);

}  // namespace nexus
