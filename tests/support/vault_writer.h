#pragma once

#include <string>

struct sqlite3;

namespace nexus::test {

/// Notes the connections that write vaults, from now on.
void watch_vault_writers();

/// The one that was opened last.
sqlite3* last_vault_writer();

/// Runs a statement on a connection that nobody else uses meanwhile.
void execute(sqlite3* writer, const std::string& sql);

}  // namespace nexus::test
