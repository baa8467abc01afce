#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "common/error.h"

namespace nexus::cli {

/// Whether a registration has such a member, as it stands in a manifest.
bool is_known_field(const std::string& name);

/// The registration for one entry of a manifest (an object with `name`): what the entry says, above
/// what the catalogue does; a setting given as "" is taken away from that. Error: usage.
Result<nlohmann::json> registration_of(nlohmann::json entry);

}  // namespace nexus::cli
