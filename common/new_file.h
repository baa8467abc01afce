#pragma once

#include <string>
#include <string_view>

namespace nexus {

/// Makes a file of this user's alone (0600): complete and on stable storage, or not there at all,
/// and never over another. False where it cannot be, and errno says why (EEXIST: there is one).
bool make_new_file(const std::string& path, std::string_view content);

}  // namespace nexus
