#include "daemon/store/sqlite/sqlite_store.h"

#include <unistd.h>

#include "common/id.h"
#include "daemon/private_file.h"
#include "daemon/store/sqlite/rows.h"
#include "daemon/store/sqlite/schema.h"

namespace nexus {
namespace sqlite {

SqliteStore::SqliteStore(const Place& place)
    : writer_(place, Database::Mode::read_write), readers_(place) {
  migrate_vault(writer_);
}

Error SqliteStore::storage_error(const Failure& failure) {
  return {ErrorCode::internal_error, std::string("the store failed: ") + failure.what(),
          failure.is_full()     ? "free some disk space; nothing was lost"
          : failure.is_damage() ? "nexusd(8), DAMAGE, has the way out"
                                : "see nexusd's log"};
}

Error alias_taken(const std::string& alias) {
  return {ErrorCode::alias_taken, "the alias " + alias + " cannot be had here",
          "choose another one"};
}

}  // namespace sqlite

namespace {

std::string vault_in(const std::string& data_dir) {
  return data_dir + "/nexus.db";
}

Error vault_not_opened(const std::string& path, const sqlite::Failure& failure) {
  return {ErrorCode::vault_unusable, "cannot open the vault " + path + ": " + failure.what(),
          failure.is_damage()
              ? "nothing was changed; nexusd(8), DAMAGE, has the way out"
              : "nothing was changed; check the file, its permissions and the free space"};
}

}  // namespace

Result<std::unique_ptr<Store>> open_sqlite_store(const std::string& data_dir) {
  const auto path = vault_in(data_dir);
  NEXUS_CHECK(check_private_database("the vault", path));
  try {
    return std::unique_ptr<Store>(std::make_unique<sqlite::SqliteStore>(path));
  } catch (const sqlite::Failure& failure) {
    return vault_not_opened(path, failure);
  }
}

Result<std::optional<VaultHeader>> look_into_sqlite_store(const std::string& data_dir) {
  const auto path = vault_in(data_dir);
  NEXUS_CHECK(check_private_database("the vault", path));
  if (access(path.c_str(), F_OK) != 0) return std::optional<VaultHeader>();
  try {
    const auto database = sqlite::look_into(path);
    if (!sqlite::check_vault_schema(*database)) return std::optional<VaultHeader>();
    return sqlite::header_in(*database);
  } catch (const sqlite::Failure& failure) {
    return vault_not_opened(path, failure);
  }
}

bool was_tallied(const Secret& tally_key, const std::string& head_path) {
  return sqlite::Tally::read_head(tally_key, head_path).has_value();
}

Result<std::unique_ptr<Store>> open_sqlite_store_in_memory() {
  try {
    return std::unique_ptr<Store>(
        std::make_unique<sqlite::SqliteStore>(sqlite::Place::memory(new_uuid())));
  } catch (const sqlite::Failure& failure) {
    return Error{ErrorCode::vault_unusable,
                 std::string("cannot make a vault in memory: ") + failure.what(),
                 "make room in memory"};
  }
}

}  // namespace nexus
