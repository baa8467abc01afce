#pragma once

#include <optional>
#include <string_view>

#include "common/error.h"

namespace nexus {

/// The error that nexusd printed (`nexusd: message`, then `  hint`) before it ended with this exit
/// code: usage, daemon_running, vault_key_wrong or else daemon_unreachable. Nothing where it is
/// none.
std::optional<Error> printed_error(std::string_view text, int exit_code);

}  // namespace nexus
