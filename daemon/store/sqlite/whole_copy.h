#pragma once

#include <string>

#include "daemon/store/sqlite/database.h"

namespace nexus::sqlite {

/// The database as it is at one moment, as a new file of this user's alone: whole and on stable
/// storage when it returns, beside those that write. What is left free in it is not copied. Throws
/// Failure.
void copy_whole(Database& database, const std::string& path);

}  // namespace nexus::sqlite
