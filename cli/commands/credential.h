#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"

namespace nexus::cli {

/// The words of `nexus credential TOOL` where a program runs nexus by the name of its helper
/// (git-credential-nexus); none elsewhere.
std::vector<std::string> helper_run_as(std::string_view program);

/// `nexus credential setup`.
Command credential_setup_command();

}  // namespace nexus::cli
