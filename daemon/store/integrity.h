#pragma once

#include <atomic>
#include <string>
#include <vector>

namespace nexus {

/// What is wrong with a database's file, as SQLite finds by reading all of it: nothing, or some
/// lines. Where the file is small its indexes are compared with the rows, too, as a flipped bit in
/// one hides a row from those who look for it. Ends early once `stop` is set.
std::vector<std::string> damage_of(const std::string& path, const std::atomic<bool>& stop);

}  // namespace nexus
