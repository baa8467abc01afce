#pragma once

#include "daemon/store/sqlite/database.h"

namespace nexus::sqlite {

/// Brings a database up to the newest schema, one transaction a step, once a copy of it as it was
/// is kept (earlier_copy.h). Throws Failure for a file that is not ours or that a newer nexusd has
/// written.
void migrate_vault(Database& database);
void migrate_audit(Database& database);

/// Throws as they do, and changes nothing. False: there is nothing in it yet.
bool check_vault_schema(Database& database);
bool check_audit_schema(Database& database);

}  // namespace nexus::sqlite
