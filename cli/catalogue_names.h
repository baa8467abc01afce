#pragma once

#include <string>
#include <vector>

namespace nexus::cli {

/// Where the catalogue's entries are, those that count first: the person's own, then those that
/// came with Nexus.
std::vector<std::string> catalogue_directories();

/// Whether one of the directories has an entry of that name. Nothing is read.
bool has_entry(const std::vector<std::string>& directories, const std::string& name);

}  // namespace nexus::cli
