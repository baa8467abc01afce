#pragma once

#include <string>

#include "common/error.h"

namespace nexus::cli {

/// That an environment variable may be called so, and that none of the programs which start others
/// takes its value for a place where code or programs lie, or for code (LD_PRELOAD, PATH,
/// BASH_ENV): a credential is neither, and nobody is to be led to one by a mistake. Error: usage.
Result<void> check_variable_name(const std::string& name);

}  // namespace nexus::cli
