#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cli/context.h"
#include "common/error.h"

namespace nexus::cli {

/// Asks for what a static provider wants, field by field, and sends it; once more (three times in
/// all) when the provider or a rule refuses it. Errors: invalid_credentials, failure (broken off),
/// and the daemon's.
Result<void> capture_by_prompt(Context& context, const std::string& state);

/// Takes a JSON object of the fields from stdin and sends it. Errors: usage, and the daemon's.
Result<void> capture_from_stdin(Context& context, const std::string& state);

}  // namespace nexus::cli
