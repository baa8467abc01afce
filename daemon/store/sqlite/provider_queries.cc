#include "daemon/store/sqlite/rows.h"
#include "daemon/store/sqlite/sqlite_store.h"

namespace nexus::sqlite {
namespace {

#define PROVIDER_COLUMNS                                                   \
  "SELECT id, name, iif(" PROFILE_FITS("providers") " AND " PROVIDER_FITS( \
      "providers") ", profile, ''), created_at, updated_at, deleted, generations FROM providers "

ProviderRow provider_row(const Query& q) {
  return {q.text(0), q.text(1), q.text(2), q.number(3), q.number(4), q.number(5) != 0};
}

void flag_connections_of(Database& db, const std::string& provider_id, const std::string& why,
                         UnixTime now) {
  db.query(
        "UPDATE connections INDEXED BY connection_providers "
        "SET status = 'attention_required', error_code = 'provider_changed', "
        "error_message = ?2, updated_at = ?3 WHERE provider_id = ?1 AND status = 'active'")
      .bind(provider_id, why, now)
      .run();
}

}  // namespace

void put_provider(Database& db, const ProviderRow& row, const std::vector<SealedField>& fields) {
  drop_fields(db, row.id);
  // All that its codes are made of is written anew: one that was altered is whole again.
  db.query(
        "INSERT INTO providers (id, name, profile, created_at, updated_at) "
        "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (id) DO UPDATE SET "
        "name = excluded.name, profile = excluded.profile, updated_at = excluded.updated_at, "
        "deleted = 0, generations = '{}', profile_mac = " PROFILE_MAC("excluded") ", "
        "mac = row_mac('provider', excluded.id, excluded.name, 0, '{}', " PROFILE_MAC("excluded") ")")
      .bind(row.id, row.name, row.profile, row.created_at, row.updated_at)
      .run();
  put_fields(db, fields);
  // Whatever was wrong may have been mended: those that failed are tried anew.
  db.query(
        "UPDATE connections INDEXED BY connection_providers "
        "SET refresh_at = ?2, refresh_failures = 0 "
        "WHERE provider_id = ?1 AND status = 'active' AND refresh_failures > 0")
      .bind(row.id, row.updated_at)
      .run();
}

Result<void> SqliteStore::change_providers(const std::vector<ProviderWrite>& writes,
                                           const std::vector<std::string>& deleted, UnixTime now) {
  std::string name;  // of the one that is being written
  return write(
      "providers", "change_providers",
      [&](Database& db) {
        // Deletions first: they may free a name that is written.
        for (const auto& id : deleted)
          db.query("UPDATE providers SET deleted = 1, updated_at = ?2 WHERE id = ?1")
              .bind(id, now)
              .run();
        for (const auto& [row, fields, needs_person] : writes) {
          name = row.name;
          if (auto taken = name_taken(db, row)) throw Refused{*std::move(taken)};
          put_provider(db, row, fields);
          if (!needs_person.empty()) flag_connections_of(db, row.id, needs_person, now);
        }
        if (!deleted.empty()) purge_unused_providers(db);
      },
      [&] {
        return std::optional(Error{ErrorCode::provider_exists,
                                   "a provider named " + name + " exists already",
                                   "choose another name, or replace it with --replace"});
      });
}

Result<void> SqliteStore::check_provider_name(const ProviderRow& row) {
  NEXUS_TRY(auto taken, read("providers", "check_provider_name",
                             [&](Database& db) { return name_taken(db, row); }));
  return taken ? Result<void>(*std::move(taken)) : Result<void>();
}

Result<std::optional<ProviderRow>> SqliteStore::provider(const std::string& id) {
  return read("providers", "provider", [&](Database& db) {
    auto query = db.query(PROVIDER_COLUMNS "WHERE id = ?1");
    return first(query.bind(id), provider_row);
  });
}

Result<std::optional<ProviderRecord>> SqliteStore::provider_record(const std::string& id) {
  return read("providers", "provider_record", [&](Database& db) {
    const Snapshot snapshot(db);
    std::optional<ProviderRecord> record;
    auto query = db.query(PROVIDER_COLUMNS "WHERE id = ?1");
    if (!query.bind(id).next()) return record;
    record = {provider_row(query), fields_of(db, id)};
    if (!not_latest(query.text(6), record->fields).empty()) record->provider.profile.clear();
    return record;
  });
}

Result<std::optional<ProviderRow>> SqliteStore::provider_named(const std::string& name) {
  return read("providers", "provider_named", [&](Database& db) {
    auto query = db.query(PROVIDER_COLUMNS "WHERE name = ?1 AND deleted = 0");
    return first(query.bind(name), provider_row);
  });
}

Result<std::vector<ProviderRow>> SqliteStore::providers(const NamePage& page) {
  return read("providers", "providers", [&](Database& db) {
    auto query =
        db.query(PROVIDER_COLUMNS "WHERE deleted = 0 AND name > ?1 ORDER BY name LIMIT ?2");
    return all(query.bind(page.after, page.limit), provider_row);
  });
}

Result<void> SqliteStore::put_api_key(const ApiKeyRow& row) {
  return write(
      "keys", "put_api_key",
      [&](Database& db) {
        db.query(
              "INSERT INTO api_keys (id, name, hash, access, created_at, expires_at) "
              "VALUES (?1, ?2, CAST(?3 AS BLOB), ?4, ?5, ?6)")
            .bind(row.id, row.name, row.hash, row.access, row.created_at, row.expires_at)
            .run();
      },
      [&] {
        return std::optional(
            Error{ErrorCode::key_exists, "a key named " + row.name + " exists already",
                  "choose another name, or revoke it: nexus key revoke " + row.name});
      });
}

Result<std::vector<ApiKeyRow>> SqliteStore::api_keys(const NamePage& page) {
  return read("keys", "api_keys", [&](Database& db) {
    auto query = db.query("SELECT id, name, hash, iif(" API_KEY_FITS(
        "api_keys") ", access, ''), created_at, "
                    "expires_at, last_used_at FROM api_keys "
                    "WHERE name > ?1 ORDER BY name LIMIT ?2");
    return all(query.bind(page.after, page.limit), [](const Query& q) {
      return ApiKeyRow{q.text(0),           q.text(1),   q.text(2),
                       q.text(3),           q.number(4), q.optional_number(5),
                       q.optional_number(6)};
    });
  });
}

Result<void> SqliteStore::save_key_use(const std::string& id, UnixTime at) {
  return write("keys", "save_key_use", [&](Database& db) {
    db.query("UPDATE api_keys SET last_used_at = ?2 WHERE id = ?1").bind(id, at).run();
  });
}

Result<void> SqliteStore::delete_api_key(const std::string& id) {
  return write("keys", "delete_api_key", [&](Database& db) {
    db.query("DELETE FROM api_keys WHERE id = ?1").bind(id).run();
  });
}

}  // namespace nexus::sqlite
