#pragma once

#include <string_view>

#include "common/secret.h"

namespace nexus::cli {

/// RFC 4648 section 4.
SecretText base64(std::string_view bytes);

}  // namespace nexus::cli
