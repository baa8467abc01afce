#pragma once

#include <string>

#include "common/error.h"
#include "common/secret.h"

namespace nexus::cli {

/// Reads a secret from a file, or from stdin for "-": from a terminal without echo, after a prompt.
/// One trailing line break is dropped. Error: usage.
Result<Secret> read_secret(const std::string& file, const std::string& prompt);

}  // namespace nexus::cli
