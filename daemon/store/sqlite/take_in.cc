#include <map>

#include "daemon/connection_errors.h"
#include "daemon/store/sqlite/rows.h"
#include "daemon/store/sqlite/sqlite_store.h"

namespace nexus::sqlite {
namespace {

/// One that is here is in nobody's way when nobody can use it any more: it was disconnected, never
/// came to be, or is being moved, and this may be the move's way back.
bool is_out_of_use(ConnectionStatus status) {
  return status == ConnectionStatus::revoked || status == ConnectionStatus::failed ||
         status == ConnectionStatus::moving;
}

/// Who may use the one that is here, where that was not written by somebody else.
std::string use_rules_of(Database& db, const std::string& id) {
  auto query =
      db.query("SELECT access FROM connections WHERE id = ?1 AND " CONNECTION_FITS("connections"));
  return query.bind(id).next() ? query.text(0) : "";
}

void forget_connection(Database& db, const std::string& id) {
  drop_fields(db, id);
  drop_flow(db, id);
  db.query("DELETE FROM revocations WHERE connection_id = ?1").bind(id).run();
  db.query("DELETE FROM connections WHERE id = ?1").bind(id).run();
}

void insert_active(Database& db, const ConnectionRow& c, const std::string& pinned,
                   const std::string& access) {
  db.query(
        "INSERT INTO connections (id, workspace, provider_id, auth_type, alias, status, "
        "requested_scopes, issuer, subject, account, metadata, created_at, updated_at, "
        "last_refresh_at, token_type, scopes, obtained_at, expires_at, token_fields, pinned, "
        "refresh_at, refresh_sent, last_used_at, access, sequence) "
        // Nothing where there is no such provider: references are not SQLite's to check.
        "VALUES (?1, ?2, (SELECT id FROM providers WHERE id = ?3), ?4, ?5, 'active', ?6, ?7, ?8, "
        "?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, "
        "(SELECT 1 + coalesce(max(sequence), 0) FROM connections))")
      .bind(c.id, c.workspace, c.provider_id, word(c.auth_type), c.alias, c.requested_scopes,
            c.issuer, c.subject, c.account, c.metadata, c.created_at, c.updated_at,
            c.last_refresh_at, c.token.token_type, c.token.scopes, c.token.obtained_at,
            c.token.expires_at, c.token.token_fields, pinned, c.refresh_at, c.refresh_sent,
            c.last_used_at, access)
      .run();
}

}  // namespace

Result<void> SqliteStore::take_in(const TakenIn& taken_in) {
  std::string alias;  // of the one that is being written
  std::string provider;
  return write(
      "connections", "take_in",
      [&](Database& db) {
        for (const auto& [row, fields, needs_person] : taken_in.providers) {
          provider = row.name;
          if (auto taken = name_taken(db, row)) throw Refused{*std::move(taken)};
          put_provider(db, row, fields);
        }
        provider.clear();
        // What goes makes room for aliases first; who may use it stays.
        std::map<std::string, std::string> use_rules;
        for (const auto& each : taken_in.connections) {
          const auto& id = each.connection.id;
          const auto before = status_of(db, id);
          if (before && !taken_in.replace && !is_out_of_use(*before))
            throw Refused{connection_exists(id)};
          if (before) use_rules[id] = use_rules_of(db, id);
          if (before) forget_connection(db, id);
        }
        for (const auto& [row, pinned, fields] : taken_in.connections) {
          alias = row.alias;
          check_alias_free(db, alias);
          insert_active(db, row, pinned, use_rules[row.id]);
          put_fields(db, fields);
        }
      },
      [&]() -> std::optional<Error> {
        if (provider.empty()) return alias_taken(alias);
        return Error{ErrorCode::provider_exists, "a provider named " + provider + " exists already",
                     "rename or remove it, then import again"};
      });
}

}  // namespace nexus::sqlite
