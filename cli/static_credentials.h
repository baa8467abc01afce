#pragma once

#include <string>

#include "cli/credential.h"
#include "common/error.h"
#include "common/secret.h"

namespace nexus::cli {

/// The one secret of a static payload. Error: usage, where there are several or none.
Result<SecretText> static_secret_in(const SecretText& payload);

/// The header that a static credential travels in. Error: usage, for strategies that are not one
/// header (query parameters, signatures).
Result<Header> static_header_in(const SecretText& payload);

}  // namespace nexus::cli
