#pragma once

#include <string>

#include "common/error.h"

namespace nexus::cli {

/// usage: nothing that is there is overwritten.
Error exists_already(const std::string& file);

/// Has a file that was made for us, in a place of nexusd's, where it is wanted: all of it, or
/// nothing. It is gone from there in any case. Errors: those of exists_already; failure.
Result<void> move_made(const std::string& from, const std::string& to);
Result<void> move_to_stdout(const std::string& from);

}  // namespace nexus::cli
