#pragma once

#include <cstdint>

#include "daemon/store/sqlite/database.h"

namespace nexus::sqlite {

// One can go back to the nexusd that was there before an update: a database is copied before it is
// brought to a newer schema. What is sealed in it is sealed in the copy. A week later it goes, as
// what was removed from the vault since is still in there.

/// As FILE.before-N, N being the schema that it comes to: whole and on stable storage when it
/// returns. Throws Failure.
void keep_earlier_copy(Database& database, std::int64_t next_schema);

/// Removes those of this database that are older than a week.
void drop_earlier_copies(Database& database, std::int64_t newest_schema);

}  // namespace nexus::sqlite
