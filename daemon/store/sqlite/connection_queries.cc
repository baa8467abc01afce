#include "common/text.h"
#include "daemon/store/sqlite/rows.h"
#include "daemon/store/sqlite/sqlite_store.h"
#include "daemon/store/transitions.h"

namespace nexus::sqlite {
namespace {

std::string put_back(const std::string& field) {
  return "its " + field + " was put back or taken away by something else than nexusd";
}

/// A row for a provider that is called so: one that is registered, or that connections go on with
/// although it was taken off the list.
#define PROVIDERS_CALLED(name)                                   \
  "SELECT 1 FROM providers WHERE name = " name                   \
  " AND deleted = 0 UNION ALL "                                  \
  "SELECT 1 FROM providers gone CROSS JOIN connections goes_on " \
  "INDEXED BY connection_providers "                             \
  "ON goes_on.provider_id = gone.id WHERE gone.name = " name     \
  " AND gone.deleted = 1 "                                       \
  "AND goes_on.status IN ('active', 'attention_required', 'moving', 'pending')"

}  // namespace

void SqliteStore::check_alias_free(Database& db, const std::string& alias) {
  if (alias.empty()) return;
  const auto name = lower(alias);
  auto query = db.query(PROVIDERS_CALLED("?1") " LIMIT 1");
  if (query.bind(name).next()) throw Refused{alias_taken(alias)};
}

std::optional<Error> SqliteStore::name_taken(Database& db, const ProviderRow& provider) {
  auto same = db.query("SELECT 1 FROM providers WHERE id = ?1 AND name = ?2");
  if (same.bind(provider.id, provider.name).next()) return std::nullopt;
  auto query = db.query(
      "SELECT id, workspace FROM connections INDEXED BY connection_names "
      "WHERE alias = ?1 COLLATE NOCASE AND alias <> '' LIMIT 1");
  if (!query.bind(provider.name).next()) return std::nullopt;
  return Error{ErrorCode::name_taken,
               provider.name + " is the alias of connection " + query.text(0) +
                   ", in the workspace " + printable(query.text(1), 80),
               "rename that one: nexus alias " + query.text(0) + " NAME"};
}

Result<std::optional<ConnectionRow>> SqliteStore::connection(const std::string& id) {
  return read("connections", "connection", [&](Database& db) {
    auto query = db.query("SELECT " CONNECTION_COLUMNS "WHERE c.id = ?1");
    return first(query.bind(id), connection_row);
  });
}

Result<std::optional<AliasedRow>> SqliteStore::connection_aliased(const std::string& workspace,
                                                                  const std::string& alias) {
  return read("connections", "connection_aliased", [&](Database& db) {
    const auto name = lower(alias);
    auto query = db.query("SELECT " CONNECTION_COLUMNS_AND("EXISTS (" PROVIDERS_CALLED(
        "?3") ")") "WHERE c.workspace = ?1 AND c.alias = ?2 AND c.alias <> ''");
    return first(query.bind(workspace, alias, name), [](const Query& q) {
      return AliasedRow{connection_row(q), q.number(kConnectionColumns) != 0};
    });
  });
}

Result<std::vector<ConnectionRow>> SqliteStore::connections_of(const std::string& workspace,
                                                               const std::string& provider_name) {
  return read("connections", "connections_of", [&](Database& db) {
    auto query = db.query("SELECT " CONNECTION_COLUMNS
                          "WHERE c.provider_id IN (SELECT id FROM providers "
                          "WHERE name = ?2 AND deleted = 0 UNION ALL "
                          "SELECT id FROM providers WHERE name = ?2 AND deleted = 1) "
                          // Not by the index of statuses, which has everybody's.
                          "AND c.workspace = ?1 "
                          "AND +c.status IN ('active', 'attention_required', 'moving', 'pending') "
                          "ORDER BY CASE c.status WHEN 'active' THEN 0 "
                          "WHEN 'pending' THEN 2 ELSE 1 END, "
                          "c.sequence DESC LIMIT 1000");
    return all(query.bind(workspace, provider_name), connection_row);
  });
}

Result<std::vector<ConnectionRow>> SqliteStore::connections(const ConnectionPage& page) {
  return read("connections", "connections", [&](Database& db) {
    // Two statements, so that each walks an index and stops at the limit.
    auto query = page.workspace.empty()
                     ? db.query("SELECT " CONNECTION_COLUMNS
                                "WHERE c.id < ?1 AND c.status <> 'revoked' "
                                "AND (?2 OR c.status <> 'pending') "
                                "ORDER BY c.id DESC LIMIT ?3")
                     : db.query("SELECT " CONNECTION_COLUMNS
                                "WHERE c.id < ?1 AND c.status <> 'revoked' "
                                "AND (?2 OR c.status <> 'pending') AND c.workspace = ?4 "
                                "ORDER BY c.id DESC LIMIT ?3");
    // Behind every id; "no bound" as an OR would keep SQLite from beginning where the page does.
    const std::string behind_all = "~";
    query.bind(page.before.empty() ? behind_all : page.before, std::int64_t{page.pending},
               page.limit);
    if (!page.workspace.empty()) query.bind(page.workspace);
    return all(query, connection_row);
  });
}

Result<std::map<ConnectionStatus, std::int64_t>> SqliteStore::count_by_status() {
  return read("connections", "count_by_status", [](Database& db) {
    std::map<ConnectionStatus, std::int64_t> counts;
    auto query = db.query("SELECT status, count(*) FROM connections GROUP BY status");
    while (query.next())
      counts[from_word<ConnectionStatus>(query.text(0)).value_or(ConnectionStatus::failed)] +=
          query.number(1);
    return counts;
  });
}

Result<WorkspaceCounts> SqliteStore::count_elsewhere(const std::string& workspace,
                                                     const std::string& name) {
  return read("connections", "count_elsewhere", [&](Database& db) {
    constexpr std::int64_t kLookedAt = 1000;
    auto query =
        name.empty()
            ? db.query(
                  "SELECT workspace, count(*) AS connections FROM (SELECT workspace "
                  "FROM connections INDEXED BY connection_lists "
                  "WHERE status <> 'revoked' AND workspace > '' AND workspace <> ?1 LIMIT ?2) "
                  "GROUP BY workspace ORDER BY connections DESC, workspace")
            : db.query(
                  // A limit for each: one behind both would be looked at when all are there.
                  "SELECT workspace, count(*) AS connections FROM ("
                  "SELECT workspace FROM (SELECT workspace FROM connections "
                  "INDEXED BY connection_names "
                  "WHERE alias = ?3 COLLATE NOCASE AND alias = ?3 AND alias <> '' "
                  "AND workspace <> ?1 "
                  "AND status IN ('active', 'attention_required', 'moving', 'pending') LIMIT ?2) "
                  "UNION ALL "
                  "SELECT workspace FROM (SELECT workspace FROM connections "
                  "INDEXED BY connection_providers "
                  "WHERE provider_id = (SELECT id FROM providers WHERE name = ?4 AND deleted = 0) "
                  "AND workspace <> ?1 AND status IN ('active', 'attention_required', 'moving', "
                  "'pending') "
                  "AND alias <> ?3 LIMIT ?2)) "
                  "GROUP BY workspace ORDER BY connections DESC, workspace");
    query.bind(workspace, kLookedAt);
    const auto provider = lower(name);
    if (!name.empty()) query.bind(name, provider);
    WorkspaceCounts counts;
    while (query.next()) counts.add(query.text(0), query.number(1));
    counts.at_least = counts.connections >= kLookedAt;
    return counts;
  });
}

Result<std::shared_ptr<const TokenRow>> SqliteStore::token(const std::string& connection_id) {
  if (auto known = recent_tokens_.find(connection_id)) return known;
  const auto version = recent_tokens_.version();
  auto row = read("connections", "token", [&](Database& db) {
    // One statement: row and fields are of one moment, and the file is locked once.
    // Metadata, which may be long, is kept by nobody who fetches a token.
    auto query = db.query("SELECT " CONNECTION_COLUMNS_WITH(
        "''", "a.generation, a.sealed, i.generation, i.sealed")
                          "LEFT JOIN credentials a ON a.owner = c.id AND a.field = "
                          "iif(c.auth_type = 'oauth2', 'access_token', 'credentials') "
                          "LEFT JOIN credentials i ON i.owner = c.id AND i.field = 'id_token' "
                          "WHERE c.id = ?1");
    std::shared_ptr<TokenRow> found;
    if (!query.bind(connection_id).next()) return found;
    found = std::make_shared<TokenRow>();
    found->connection = connection_row(query);
    const auto main = found->connection.auth_type == AuthType::oauth2 ? SecretField::access_token
                                                                      : SecretField::credentials;
    for (const auto& [field, column] : {std::pair(main, kConnectionColumns),
                                        std::pair(SecretField::id_token, kConnectionColumns + 2)})
      if (const auto generation = query.optional_number(column))
        found->fields.push_back({connection_id, field, *generation, query.text(column + 1)});
    if (const auto old =
            not_latest(query.text(kGenerations), found->fields, {main, SecretField::id_token});
        !old.empty())
      take_out_of_service(found->connection, put_back(old));
    return found;
  });
  if (!row) return row.error();
  if (*row) recent_tokens_.keep(version, connection_id, *row);
  return std::shared_ptr<const TokenRow>(*std::move(row));
}

Result<std::optional<ConnectionRecord>> SqliteStore::connection_record(const std::string& id) {
  return read("connections", "connection_record", [&](Database& db) {
    const Snapshot snapshot(db);
    std::optional<ConnectionRecord> record;
    auto query = db.query("SELECT " CONNECTION_COLUMNS_AND("c.pinned") "WHERE c.id = ?1");
    if (!query.bind(id).next()) return record;
    record = {connection_row(query), query.text(kConnectionColumns), fields_of(db, id)};
    if (const auto old = not_latest(query.text(kGenerations), record->fields); !old.empty())
      take_out_of_service(record->connection, put_back(old));
    // Where its tokens belong is not known any more.
    if (record->connection.status == ConnectionStatus::failed) record->pinned.clear();
    return record;
  });
}

Result<bool> SqliteStore::set_status(const std::string& id, ConnectionStatus status,
                                     const std::string& error_code,
                                     const std::string& error_message, UnixTime now) {
  return write("connections", "set_status", [&](Database& db) {
    const auto before = status_of(db, id);
    if (!before || !may_become(*before, status)) throw Abandoned{};
    const bool failed = status == ConnectionStatus::failed;
    db.query(
          "UPDATE connections SET status = ?2, error_code = ?3, error_message = ?4, "
          "updated_at = ?5, alias = iif(?6, '', alias) WHERE id = ?1")
        .bind(id, word(status), error_code, error_message, now, std::int64_t{failed})
        .run();
    if (failed) {
      drop_fields(db, id);
      drop_flow(db, id);
    }
    return true;
  });
}

Result<void> SqliteStore::set_alias(const std::string& id, const std::string& alias, UnixTime now) {
  return write(
      "connections", "set_alias",
      [&](Database& db) {
        check_alias_free(db, alias);
        db.query("UPDATE connections SET alias = ?2, updated_at = ?3 WHERE id = ?1")
            .bind(id, alias, now)
            .run();
      },
      [&] { return std::optional(alias_taken(alias)); });
}

Result<void> SqliteStore::set_use_rules(const std::string& id, const api::UseRules* rules,
                                        UnixTime now) {
  return write("connections", "set_use_rules", [&](Database& db) {
    const auto text = rules ? api::to_json(*rules) : std::string();
    db.query("UPDATE connections SET access = ?2, updated_at = ?3 WHERE id = ?1")
        .bind(id, text, now)
        .run();
  });
}

}  // namespace nexus::sqlite
