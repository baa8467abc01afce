#pragma once

#include "daemon/store/sqlite/database.h"

namespace nexus::sqlite {

/// Brings a database up to the newest schema, one transaction a step. Throws Failure for a file
/// that is not ours or that a newer nexusd has written.
void migrate_vault(Database& database);
void migrate_audit(Database& database);

}  // namespace nexus::sqlite
