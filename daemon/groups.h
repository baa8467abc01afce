#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "common/error.h"

namespace nexus {

/// A group of this machine by its name or number. May ask the network: not on the loop. Error:
/// usage where there is none.
Result<gid_t> group_named(const std::string& name);
/// The group that [access] names, nothing for "". Error: usage.
Result<std::optional<gid_t>> group_of_members(const std::string& setting);
/// Its name where it has one, else its number.
std::string name_of_group(gid_t group);

}  // namespace nexus
