#include "tests/support/vault_writer.h"

#include <sqlite3.h>

#include <stdexcept>
#include <string_view>

namespace nexus::test {
namespace {

sqlite3* last_writer = nullptr;

int note_writer(sqlite3* database, char**, const sqlite3_api_routines*) {
  const auto* file = sqlite3_db_filename(database, "main");
  const bool is_vault = file && std::string_view(file).ends_with("/nexus.db");
  if (is_vault && sqlite3_db_readonly(database, "main") == 0) last_writer = database;
  return SQLITE_OK;
}

}  // namespace

void watch_vault_writers() {
  sqlite3_auto_extension(reinterpret_cast<void (*)()>(note_writer));  // once, however often
}

sqlite3* last_vault_writer() {
  return last_writer;
}

void execute(sqlite3* writer, const std::string& sql) {
  if (sqlite3_exec(writer, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    throw std::runtime_error(sqlite3_errmsg(writer));
}

}  // namespace nexus::test
