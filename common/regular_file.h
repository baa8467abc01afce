#pragma once

#include <string>

#include "common/descriptor.h"

namespace nexus {

/// Opens a file for reading that has to be a regular one: a pipe or a device in its place would
/// keep whoever opens or reads it waiting. -1 where it cannot be, and errno says why (EINVAL: it is
/// no regular file). `flags` are those of open(2) beside.
Descriptor open_regular_file(const std::string& path, int flags = 0);

/// What errno says of a file that could not be opened so.
std::string why_not_opened();

}  // namespace nexus
