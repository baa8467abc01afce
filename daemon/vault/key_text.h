#pragma once

#include <string>
#include <string_view>

#include "common/error.h"
#include "common/secret.h"

namespace nexus {

/// 32 random bytes: a root key.
Secret make_root_key();

/// A root key as it is stored and given: base64 with padding (RFC 4648, 4), white space around it.
SecretText key_text(const Secret& key);

/// The key in such a text. `from` begins the message. Error: vault_key_wrong.
Result<Secret> read_key_text(std::string_view text, const std::string& from, bool vault_exists);

}  // namespace nexus
