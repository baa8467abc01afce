#pragma once

#include <cstdint>
#include <string>

#include "common/api/words.h"

namespace nexus {

/// A sealed value of a provider or connection, as it is stored. Only the vault sees what is inside.
struct SealedField {
  std::string owner;  ///< the provider's or connection's id
  SecretField field = SecretField::access_token;
  std::int64_t generation = 0;
  std::string sealed;
};

}  // namespace nexus
