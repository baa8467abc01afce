#pragma once

#include <string>

#include "common/error.h"

namespace nexus {

/// Whether this can be an alias: it must not look like an id and must be easy to type. Error:
/// invalid_field.
Result<void> check_alias(const std::string& alias);

}  // namespace nexus
