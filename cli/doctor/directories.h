#pragma once

#include <cstdint>
#include <string>

#include "cli/doctor/finding.h"

namespace nexus::cli::doctor {

/// The kind of network file system that statfs(2) tells by such a number, "" for none.
std::string network_file_system(std::uint64_t type);

/// What so many free bytes are for the vault's directory.
Finding judge_free_space(const std::string& directory, std::uint64_t bytes);

}  // namespace nexus::cli::doctor
