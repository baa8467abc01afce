#pragma once

#include <string>

#include "common/api/words.h"
#include "common/secret.h"

namespace nexus {

/// What the vault's key is wrapped with, and where it came from.
struct RootKey {
  Secret key;  ///< 32 bytes
  KeySource source = KeySource::file;
  /// How it was made of a passphrase, as text; "" where it was not. The wrapped key is bound to it.
  std::string derivation{};
};

}  // namespace nexus
