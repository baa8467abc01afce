#pragma once

#include <string>

#include "common/error.h"

namespace nexus {

/// Makes a directory of this user's alone (0700) unless it is there; the one above has to be. Root
/// does not make it in a directory of another user, whose HOME it may have been lent (sudo -E,
/// su -m): that user could not enter it. `mend` is the hint. Error: failure.
Result<void> make_directory(const std::string& path, const std::string& mend);

/// The same for it and all above it.
Result<void> make_directories(const std::string& path, const std::string& mend);

/// What `make_directories` would say, without making any.
Result<void> check_directories_can_be_made(const std::string& path, const std::string& mend);

}  // namespace nexus
