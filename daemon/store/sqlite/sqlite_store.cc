// The SQLite store: one file, WAL mode, one writer connection with synchronous=FULL (a refresh
// token that was acknowledged survives power loss) and read-only connections for everybody else. It
// is longer than most files because it is the whole of one interface.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/metrics.h"
#include "daemon/store/sqlite/schema.h"
#include "daemon/store/store.h"

namespace nexus {
namespace {

using sqlite::Database;
using sqlite::Failure;
using sqlite::Query;
using sqlite::Transaction;

#define CONNECTION_COLUMNS_AND(more)                                                              \
  "c.id, c.workspace, c.provider_id, p.name, c.alias, c.status, c.requested_scopes, c.issuer, "   \
  "c.subject, c.account, c.return_url, c.replaces, c.created_at, c.updated_at, c.pending_until, " \
  "c.last_refresh_at, c.error_code, c.error_message, c.token_type, c.scopes, c.obtained_at, "     \
  "c.expires_at, c.auth_type, c.refresh_at, c.refresh_failures, c.refresh_sent, "                 \
  "c.last_used_at, " more " FROM connections c JOIN providers p ON p.id = c.provider_id "
#define CONNECTION_COLUMNS CONNECTION_COLUMNS_AND("NULL")

constexpr int kConnectionColumns = 27;

ConnectionRow connection_row(const Query& q) {
  ConnectionRow row;
  row.id = q.text(0);
  row.workspace = q.text(1);
  row.provider_id = q.text(2);
  row.provider_name = q.text(3);
  row.alias = q.text(4);
  row.status = q.text(5);
  row.requested_scopes = q.text(6);
  row.issuer = q.text(7);
  row.subject = q.text(8);
  row.account = q.text(9);
  row.return_url = q.text(10);
  row.replaces = q.text(11);
  row.created_at = q.number(12);
  row.updated_at = q.number(13);
  row.pending_until = q.number(14);
  row.last_refresh_at = q.optional_number(15);
  row.error_code = q.text(16);
  row.error_message = q.text(17);
  row.token = {q.text(18), q.text(19), q.number(20), q.optional_number(21)};
  row.auth_type = q.text(22);
  row.refresh_at = q.optional_number(23);
  row.refresh_failures = q.number(24);
  row.refresh_sent = q.number(25);
  row.last_used_at = q.number(26);
  return row;
}

ProviderRow provider_row(const Query& q) {
  return {q.text(0), q.text(1), q.text(2), q.number(3), q.number(4), q.number(5) != 0};
}

SealedField sealed_field(const Query& q) {
  return {q.text(0), q.text(1), q.number(2), q.text(3)};
}

void put_fields(Database& db, const std::vector<SealedField>& fields) {
  for (const auto& field : fields)
    db.query(
          "INSERT OR REPLACE INTO credentials (owner, field, generation, sealed) "
          "VALUES (?1, ?2, ?3, CAST(?4 AS BLOB))")
        .bind(field.owner, field.field, field.generation, field.sealed)
        .run();
}

void drop_fields(Database& db, const std::string& owner) {
  db.query("DELETE FROM credentials WHERE owner = ?1").bind(owner).run();
}

/// What only the flow needed.
void drop_flow_fields(Database& db, const std::string& connection_id) {
  db.query(
        "DELETE FROM credentials WHERE owner = ?1 "
        "AND field IN ('code_verifier', 'device_code', 'device_state')")
      .bind(connection_id)
      .run();
}

/// Providers taken off the list go once no connection refreshes through them.
void purge_unused_providers(Database& db) {
  constexpr auto unused =
      "deleted = 1 AND NOT EXISTS (SELECT 1 FROM connections c WHERE c.provider_id = providers.id "
      "AND (c.status IN ('pending', 'active', 'attention_required') "
      "OR EXISTS (SELECT 1 FROM revocations r WHERE r.connection_id = c.id)))";
  db.execute(
      std::string("DELETE FROM credentials WHERE owner IN (SELECT id FROM providers WHERE ") +
      unused + ")");
}

void put_revocation(Database& db, const RevocationRow& row) {
  db.query(
        "INSERT OR REPLACE INTO revocations (connection_id, next_at, failures, give_up_at) "
        "VALUES (?1, ?2, ?3, ?4)")
      .bind(row.connection_id, row.next_at, row.failures, row.give_up_at)
      .run();
}

RevocationRow revocation_row(const Query& q) {
  return {q.text(0), q.number(1), q.number(2), q.number(3)};
}

void revoke_row(Database& db, const std::string& id, const std::string& outcome,
                const std::optional<RevocationRow>& pending, UnixTime now) {
  if (pending) {
    put_revocation(db, *pending);
    db.query(
          "DELETE FROM credentials WHERE owner = ?1 "
          "AND field NOT IN ('refresh_token', 'access_token')")
        .bind(id)
        .run();
  } else {
    drop_fields(db, id);
  }
  db.query("DELETE FROM flows WHERE connection_id = ?1").bind(id).run();
  db.query(
        "UPDATE connections SET status = 'revoked', alias = '', return_url = '', "
        "revocation = ?2, updated_at = ?3, error_code = '', error_message = '' WHERE id = ?1")
      .bind(id, outcome, now)
      .run();
  purge_unused_providers(db);
}

void put_provider(Database& db, const ProviderRow& row, const std::vector<SealedField>& fields) {
  db.query(
        "INSERT INTO providers (id, name, profile, created_at, updated_at) "
        "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (id) DO UPDATE SET "
        "name = excluded.name, profile = excluded.profile, updated_at = excluded.updated_at")
      .bind(row.id, row.name, row.profile, row.created_at, row.updated_at)
      .run();
  drop_fields(db, row.id);
  put_fields(db, fields);
  // Whatever was wrong may have been mended: those that failed are tried anew.
  db.query(
        "UPDATE connections SET refresh_at = ?2, refresh_failures = 0 "
        "WHERE provider_id = ?1 AND status = 'active' AND refresh_failures > 0")
      .bind(row.id, row.updated_at)
      .run();
}

void flag_connections_of(Database& db, const std::string& provider_id, const std::string& why,
                         UnixTime now) {
  db.query(
        "UPDATE connections SET status = 'attention_required', error_code = 'provider_changed', "
        "error_message = ?2, updated_at = ?3 WHERE provider_id = ?1 AND status = 'active'")
      .bind(provider_id, why, now)
      .run();
}

class SqliteStore : public Store {
 public:
  explicit SqliteStore(const std::string& path)
      : writer_(path, Database::Mode::read_write), readers_(path) {
    sqlite::migrate_vault(writer_);
  }

  Result<std::optional<VaultHeader>> vault_header() override {
    return read("vault", "vault_header", [](Database& db) {
      std::optional<VaultHeader> header;
      auto query = db.query(
          "SELECT value FROM meta WHERE key IN ('vault_id', 'wrapped_key') "
          "ORDER BY key");
      if (!query.next()) return header;
      header.emplace().vault_id = query.text(0);
      if (query.next()) header->wrapped_key = query.text(0);
      return header;
    });
  }

  Result<void> put_vault_header(const VaultHeader& header) override {
    return write("vault", "put_vault_header", [&](Database& db) {
      db.query(
            "INSERT INTO meta (key, value) VALUES ('vault_id', CAST(?1 AS BLOB)), "
            "('wrapped_key', CAST(?2 AS BLOB))")
          .bind(header.vault_id, header.wrapped_key)
          .run();
    });
  }

  Result<void> change_providers(const std::vector<ProviderWrite>& writes,
                                const std::vector<std::string>& deleted, UnixTime now) override {
    std::string name;
    const auto result = write("providers", "change_providers", [&](Database& db) {
      // Deletions first: they may free a name that is written.
      for (const auto& id : deleted)
        db.query("UPDATE providers SET deleted = 1, updated_at = ?2 WHERE id = ?1")
            .bind(id, now)
            .run();
      for (const auto& [row, fields, needs_person] : writes) {
        name = row.name;
        put_provider(db, row, fields);
        if (!needs_person.empty()) flag_connections_of(db, row.id, needs_person, now);
      }
      if (!deleted.empty()) purge_unused_providers(db);
    });
    if (!result && last_was_constraint_)
      return Error{ErrorCode::provider_exists, "a provider named " + name + " exists already",
                   "choose another name, or replace it with --replace"};
    return result;
  }

  Result<std::optional<ProviderRow>> provider(const std::string& id) override {
    return read("providers", "provider", [&](Database& db) {
      auto query = db.query(
          "SELECT id, name, profile, created_at, updated_at, deleted "
          "FROM providers WHERE id = ?1");
      return first(query.bind(id), provider_row);
    });
  }

  Result<std::optional<ProviderRow>> provider_named(const std::string& name) override {
    return read("providers", "provider_named", [&](Database& db) {
      auto query = db.query(
          "SELECT id, name, profile, created_at, updated_at, deleted "
          "FROM providers WHERE name = ?1 AND deleted = 0");
      return first(query.bind(name), provider_row);
    });
  }

  Result<std::vector<ProviderRow>> providers() override {
    return read("providers", "providers", [](Database& db) {
      auto query = db.query(
          "SELECT id, name, profile, created_at, updated_at, deleted "
          "FROM providers WHERE deleted = 0 ORDER BY name");
      return all(query, provider_row);
    });
  }

  Result<std::optional<ConnectionRow>> connection(const std::string& id) override {
    return read("connections", "connection", [&](Database& db) {
      auto query = db.query("SELECT " CONNECTION_COLUMNS "WHERE c.id = ?1");
      return first(query.bind(id), connection_row);
    });
  }

  Result<std::optional<ConnectionRow>> connection_aliased(const std::string& workspace,
                                                          const std::string& alias) override {
    return read("connections", "connection_aliased", [&](Database& db) {
      auto query = db.query("SELECT " CONNECTION_COLUMNS
                            "WHERE c.workspace = ?1 AND c.alias = ?2 AND c.alias <> ''");
      return first(query.bind(workspace, alias), connection_row);
    });
  }

  Result<std::vector<ConnectionRow>> connections_of(const std::string& workspace,
                                                    const std::string& provider_name) override {
    return read("connections", "connections_of", [&](Database& db) {
      auto query = db.query("SELECT " CONNECTION_COLUMNS
                            "WHERE p.name = ?2 AND c.workspace = ?1 "
                            "AND c.status IN ('active', 'attention_required') "
                            "ORDER BY c.status = 'active' DESC, c.created_at DESC, c.id DESC");
      return all(query.bind(workspace, provider_name), connection_row);
    });
  }

  Result<std::vector<ConnectionRow>> connections(const ConnectionFilter& filter) override {
    return read("connections", "connections", [&](Database& db) {
      auto query =
          db.query("SELECT " CONNECTION_COLUMNS
                   "WHERE (?1 = '' OR c.workspace = ?1) AND c.status <> 'revoked' "
                   "AND (?2 OR c.status <> 'pending') ORDER BY c.created_at DESC, c.id DESC");
      return all(query.bind(filter.workspace, std::int64_t{filter.pending}), connection_row);
    });
  }

  Result<std::map<std::string, std::int64_t>> count_by_status() override {
    return read("connections", "count_by_status", [](Database& db) {
      std::map<std::string, std::int64_t> counts;
      auto query = db.query("SELECT status, count(*) FROM connections GROUP BY status");
      while (query.next()) counts[query.text(0)] = query.number(1);
      return counts;
    });
  }

  Result<std::optional<TokenRow>> token(const std::string& connection_id) override {
    return read("connections", "token", [&](Database& db) {
      // One statement: row and fields are of one moment, and the file is locked once.
      auto query = db.query("SELECT " CONNECTION_COLUMNS_AND(
          "a.generation, a.sealed, i.generation, i.sealed")
                            "LEFT JOIN credentials a ON a.owner = c.id AND a.field = "
                            "iif(c.auth_type = 'oauth2', 'access_token', 'credentials') "
                            "LEFT JOIN credentials i ON i.owner = c.id AND i.field = 'id_token' "
                            "WHERE c.id = ?1");
      std::optional<TokenRow> row;
      if (!query.bind(connection_id).next()) return row;
      row.emplace().connection = connection_row(query);
      const char* main = row->connection.auth_type == "oauth2" ? "access_token" : "credentials";
      for (const auto& [field, column] :
           {std::pair(main, kConnectionColumns), std::pair("id_token", kConnectionColumns + 2)})
        if (const auto generation = query.optional_number(column))
          row->fields.push_back({connection_id, field, *generation, query.text(column + 1)});
      return row;
    });
  }

  Result<void> begin_flow(const ConnectionRow& c, const FlowRow& flow,
                          const std::vector<SealedField>& fields) override {
    const auto result = write("flows", "begin_flow", [&](Database& db) {
      db.query(
            "INSERT INTO connections (id, workspace, provider_id, alias, status, "
            "requested_scopes, return_url, replaces, created_at, updated_at, pending_until, "
            "auth_type) VALUES (?1, ?2, ?3, ?4, 'pending', ?5, ?6, ?7, ?8, ?8, ?9, ?10)")
          .bind(c.id, c.workspace, c.provider_id, c.alias, c.requested_scopes, c.return_url,
                c.replaces, c.created_at, c.pending_until, c.auth_type)
          .run();
      db.query(
            "INSERT INTO flows (state_hash, connection_id, redirect_uri, pinned, expires_at, "
            "pasted) "
            "VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
          .bind(flow.state_hash, flow.connection_id, flow.redirect_uri, flow.pinned,
                flow.expires_at, std::int64_t{flow.pasted})
          .run();
      put_fields(db, fields);
    });
    if (!result && last_was_constraint_) return alias_taken(c.alias);
    return result;
  }

  Result<std::optional<FlowRow>> flow(const std::string& state_hash) override {
    return read("flows", "flow", [&](Database& db) {
      auto query = db.query(
          "SELECT state_hash, connection_id, redirect_uri, pinned, expires_at "
          "FROM flows WHERE state_hash = ?1");
      return first(query.bind(state_hash), [](const Query& q) {
        return FlowRow{q.text(0), q.text(1), q.text(2), q.text(3), q.number(4)};
      });
    });
  }

  Result<bool> consume_flow(const std::string& state_hash) override {
    return write("flows", "consume_flow", [&](Database& db) {
      db.query("DELETE FROM flows WHERE state_hash = ?1").bind(state_hash).run();
      return db.changes() == 1;
    });
  }

  Result<std::vector<std::string>> expire_flows(UnixTime now) override {
    return write("flows", "expire_flows", [&](Database& db) {
      std::vector<std::string> ids;
      {
        // Also those whose flow was consumed by a daemon that died before it had an answer.
        auto query = db.query(
            "SELECT id FROM connections WHERE status = 'pending' "
            "AND pending_until <= ?1");
        query.bind(now);
        while (query.next()) ids.push_back(query.text(0));
      }
      for (const auto& id : ids) {
        drop_fields(db, id);
        db.query("DELETE FROM flows WHERE connection_id = ?1").bind(id).run();
        db.query(
              "UPDATE connections SET status = 'failed', alias = '', updated_at = ?2, "
              "error_code = 'expired', error_message = 'nobody gave consent in time' "
              "WHERE id = ?1")
            .bind(id, now)
            .run();
      }
      return ids;
    });
  }

  Result<std::vector<std::string>> awaited_redirect_uris() override {
    return read("flows", "awaited_redirect_uris", [](Database& db) {
      auto query = db.query("SELECT DISTINCT redirect_uri FROM flows WHERE pasted = 0");
      return all(query, [](const Query& q) { return q.text(0); });
    });
  }

  Result<bool> activate(const ConnectionRow& c, const std::vector<SealedField>& fields) override {
    return write("connections", "activate", [&](Database& db) {
      // The alias moves first: two connections cannot hold it at once.
      std::string alias = c.alias;
      if (!c.replaces.empty()) {
        auto query =
            db.query("SELECT alias FROM connections WHERE id = ?1 AND status <> 'revoked'");
        if (query.bind(c.replaces).next()) alias = query.text(0);
      }
      if (!c.replaces.empty())
        revoke_row(db, c.replaces, "{\"replaced_by\":\"" + c.id + "\"}", {}, c.updated_at);
      db.query(
            "UPDATE connections SET status = 'active', alias = ?2, issuer = ?3, subject = ?4, "
            "account = ?5, updated_at = ?6, error_code = '', error_message = '', "
            "token_type = ?7, scopes = ?8, obtained_at = ?9, expires_at = ?10, pinned = ?11, "
            "refresh_at = ?12 WHERE id = ?1 AND status = 'pending'")
          .bind(c.id, alias, c.issuer, c.subject, c.account, c.updated_at, c.token.token_type,
                c.token.scopes, c.token.obtained_at, c.token.expires_at, c.pinned, c.refresh_at)
          .run();
      if (db.changes() != 1) throw Abandoned{};
      drop_flow_fields(db, c.id);
      put_fields(db, fields);
      return true;
    });
  }

  Result<bool> begin_refresh(const std::string& id, std::int64_t generation) override {
    return write("connections", "begin_refresh", [&](Database& db) {
      db.query("UPDATE connections SET refresh_sent = ?2 WHERE id = ?1 AND status = 'active'")
          .bind(id, generation)
          .run();
      return db.changes() == 1;
    });
  }

  Result<void> save_refresh_failure(const ConnectionRow& c, UnixTime now) override {
    return write("connections", "save_refresh_failure", [&](Database& db) {
      db.query(
            "UPDATE connections SET error_code = ?2, error_message = ?3, refresh_at = ?4, "
            "refresh_failures = ?5, refresh_sent = ?6, updated_at = ?7 "
            "WHERE id = ?1 AND status = 'active'")
          .bind(c.id, c.error_code, c.error_message, c.refresh_at, c.refresh_failures,
                c.refresh_sent, now)
          .run();
    });
  }

  Result<void> postpone_refreshes(const std::string& provider_id, UnixTime now,
                                  UnixTime until) override {
    return write("connections", "postpone_refreshes", [&](Database& db) {
      db.query(
            "UPDATE connections SET refresh_at = ?3 "
            "WHERE provider_id = ?1 AND status = 'active' AND refresh_at <= ?2")
          .bind(provider_id, now, until)
          .run();
    });
  }

  Result<std::vector<std::string>> due_refreshes(UnixTime now, std::int64_t limit) override {
    return read("connections", "due_refreshes", [&](Database& db) {
      auto query = db.query(
          "SELECT id FROM connections WHERE status = 'active' AND refresh_at <= ?1 "
          "ORDER BY refresh_at LIMIT ?2");
      return all(query.bind(now, limit), [](const Query& q) { return q.text(0); });
    });
  }

  Result<std::optional<UnixTime>> next_refresh_after(UnixTime now) override {
    return read("connections", "next_refresh_after", [&](Database& db) {
      auto query = db.query(
          "SELECT min(refresh_at) FROM connections WHERE status = 'active' AND refresh_at > ?1");
      std::optional<UnixTime> at;
      if (query.bind(now).next()) at = query.optional_number(0);
      return at;
    });
  }

  Result<bool> save_refresh(const std::string& id, const TokenFacts& token,
                            const std::vector<SealedField>& fields,
                            std::optional<UnixTime> refresh_at, UnixTime last_used_at,
                            UnixTime now) override {
    return write("connections", "save_refresh", [&](Database& db) {
      db.query(
            "UPDATE connections SET status = 'active', token_type = ?2, scopes = ?3, "
            "obtained_at = ?4, expires_at = ?5, last_refresh_at = ?6, updated_at = ?6, "
            "error_code = '', error_message = '', refresh_at = ?7, refresh_failures = 0, "
            "refresh_sent = 0, last_used_at = ?8 "
            "WHERE id = ?1 AND status IN ('active', 'attention_required')")
          .bind(id, token.token_type, token.scopes, token.obtained_at, token.expires_at, now,
                refresh_at, last_used_at)
          .run();
      if (db.changes() != 1) throw Abandoned{};
      put_fields(db, fields);
      return true;
    });
  }

  Result<void> set_status(const std::string& id, const std::string& status,
                          const std::string& error_code, const std::string& error_message,
                          UnixTime now) override {
    return write("connections", "set_status", [&](Database& db) {
      db.query(
            "UPDATE connections SET status = ?2, error_code = ?3, error_message = ?4, "
            "updated_at = ?5, alias = iif(?2 = 'failed', '', alias) "
            "WHERE id = ?1 AND status <> 'revoked'")
          .bind(id, status, error_code, error_message, now)
          .run();
      if (status == "failed") drop_fields(db, id);
    });
  }

  Result<void> set_alias(const std::string& id, const std::string& alias, UnixTime now) override {
    const auto result = write("connections", "set_alias", [&](Database& db) {
      db.query("UPDATE connections SET alias = ?2, updated_at = ?3 WHERE id = ?1")
          .bind(id, alias, now)
          .run();
    });
    if (!result && last_was_constraint_) return alias_taken(alias);
    return result;
  }

  Result<void> revoke(const std::string& id, const std::string& outcome,
                      const std::optional<RevocationRow>& pending, UnixTime now) override {
    return write("connections", "revoke",
                 [&](Database& db) { revoke_row(db, id, outcome, pending, now); });
  }

  Result<void> add_revocation(const RevocationRow& row,
                              const std::vector<SealedField>& fields) override {
    return write("revocations", "add_revocation", [&](Database& db) {
      put_revocation(db, row);
      put_fields(db, fields);
    });
  }

  Result<std::optional<RevocationRow>> revocation(const std::string& id) override {
    return read("revocations", "revocation", [&](Database& db) {
      auto query = db.query(
          "SELECT connection_id, next_at, failures, give_up_at FROM revocations "
          "WHERE connection_id = ?1");
      return first(query.bind(id), revocation_row);
    });
  }

  Result<std::vector<RevocationRow>> due_revocations(UnixTime now, std::int64_t limit) override {
    return read("revocations", "due_revocations", [&](Database& db) {
      auto query = db.query(
          "SELECT connection_id, next_at, failures, give_up_at FROM revocations "
          "WHERE next_at <= ?1 ORDER BY next_at LIMIT ?2");
      return all(query.bind(now, limit), revocation_row);
    });
  }

  Result<std::optional<UnixTime>> next_revocation() override {
    return read("revocations", "next_revocation", [](Database& db) {
      auto query = db.query("SELECT min(next_at) FROM revocations");
      std::optional<UnixTime> at;
      if (query.next()) at = query.optional_number(0);
      return at;
    });
  }

  Result<void> postpone_revocation(const RevocationRow& row) override {
    return write("revocations", "postpone_revocation",
                 [&](Database& db) { put_revocation(db, row); });
  }

  Result<void> finish_revocation(const std::string& id, const std::string& outcome) override {
    return write("revocations", "finish_revocation", [&](Database& db) {
      db.query("DELETE FROM revocations WHERE connection_id = ?1").bind(id).run();
      drop_fields(db, id);
      db.query("UPDATE connections SET revocation = ?2 WHERE id = ?1").bind(id, outcome).run();
      purge_unused_providers(db);
    });
  }

  Result<std::string> revocation_outcome(const std::string& id) override {
    return read("connections", "revocation_outcome", [&](Database& db) {
      auto query = db.query("SELECT revocation FROM connections WHERE id = ?1");
      return query.bind(id).next() ? query.text(0) : std::string();
    });
  }

  Result<std::string> pinned_endpoints(const std::string& id) override {
    return read("connections", "pinned_endpoints", [&](Database& db) {
      auto query = db.query("SELECT pinned FROM connections WHERE id = ?1");
      return query.bind(id).next() ? query.text(0) : std::string();
    });
  }

  Result<std::vector<SealedField>> fields(const std::string& owner) override {
    return read("credentials", "fields", [&](Database& db) {
      auto query = db.query(
          "SELECT owner, field, generation, sealed FROM credentials "
          "WHERE owner = ?1");
      return all(query.bind(owner), sealed_field);
    });
  }

  Result<void> put_api_key(const ApiKeyRow& row) override {
    const auto result = write("keys", "put_api_key", [&](Database& db) {
      db.query(
            "INSERT INTO api_keys (id, name, hash, access, created_at, expires_at) "
            "VALUES (?1, ?2, CAST(?3 AS BLOB), ?4, ?5, ?6)")
          .bind(row.id, row.name, row.hash, row.access, row.created_at, row.expires_at)
          .run();
    });
    if (!result && last_was_constraint_)
      return Error{ErrorCode::key_exists, "a key named " + row.name + " exists already",
                   "choose another name, or revoke it: nexus key revoke " + row.name};
    return result;
  }

  Result<std::vector<ApiKeyRow>> api_keys() override {
    return read("keys", "api_keys", [](Database& db) {
      auto query = db.query(
          "SELECT id, name, hash, access, created_at, expires_at FROM api_keys ORDER BY name");
      return all(query, [](const Query& q) {
        return ApiKeyRow{q.text(0), q.text(1),   q.text(2),
                         q.text(3), q.number(4), q.optional_number(5)};
      });
    });
  }

  Result<void> delete_api_key(const std::string& id) override {
    return write("keys", "delete_api_key", [&](Database& db) {
      db.query("DELETE FROM api_keys WHERE id = ?1").bind(id).run();
    });
  }

 private:
  /// Thrown inside a transaction whose row went away meanwhile: it is rolled back, the answer is
  /// no.
  struct Abandoned {};

  template <class Row>
  static std::optional<std::invoke_result_t<Row, const Query&>> first(Query& query, Row row) {
    if (!query.next()) return std::nullopt;
    return row(query);
  }

  template <class Row>
  static std::vector<std::invoke_result_t<Row, const Query&>> all(Query& query, Row row) {
    std::vector<std::invoke_result_t<Row, const Query&>> rows;
    while (query.next()) rows.push_back(row(query));
    return rows;
  }

  static Error alias_taken(const std::string& alias) {
    return {ErrorCode::alias_taken, "the alias " + alias + " belongs to another connection",
            "choose another one, or take it over with --replace " + alias};
  }

  static Error storage_error(const Failure& failure) {
    const bool full = (failure.code() & 0xff) == SQLITE_FULL;
    return {ErrorCode::internal_error, std::string("the store failed: ") + failure.what(),
            full ? "free some disk space; nothing was lost" : "see nexusd's log"};
  }

  template <class Body>
  auto read(const char* repo, const char* method, Body body)
      -> Result<std::invoke_result_t<Body, Database&>> {
    static auto& histogram = metrics::store_operation(repo, method);  // one for each Body
    const metrics::Observed observed(histogram);
    try {
      auto reader = readers_.borrow();
      return body(*reader);
    } catch (const Failure& failure) {
      return storage_error(failure);
    }
  }

  template <class Body>
  auto write(const char* repo, const char* method, Body body)
      -> Result<std::invoke_result_t<Body, Database&>> {
    static auto& histogram = metrics::store_operation(repo, method);  // one for each Body
    const metrics::Observed observed(histogram);
    const std::lock_guard lock(mutex_);
    last_was_constraint_ = false;
    try {
      Transaction transaction(writer_);
      if constexpr (std::is_void_v<std::invoke_result_t<Body, Database&>>) {
        body(writer_);
        transaction.commit();
        return {};
      } else {
        auto value = body(writer_);
        transaction.commit();
        return value;
      }
    } catch (const Failure& failure) {
      last_was_constraint_ = (failure.code() & 0xff) == SQLITE_CONSTRAINT;
      return storage_error(failure);
    } catch (const Abandoned&) {
      if constexpr (std::is_same_v<std::invoke_result_t<Body, Database&>, bool>) {
        return false;
      } else {
        std::terminate();  // only the methods that answer yes or no abandon
      }
    }
  }

  std::mutex mutex_;
  Database writer_;
  static thread_local bool last_was_constraint_;
  sqlite::Readers readers_;
};

thread_local bool SqliteStore::last_was_constraint_ = false;

}  // namespace

Result<std::unique_ptr<Store>> open_sqlite_store(const std::string& data_dir) {
  const auto path = data_dir + "/nexus.db";
  struct stat about {};
  if (lstat(path.c_str(), &about) == 0) {
    if (!S_ISREG(about.st_mode) || about.st_uid != geteuid())
      return Error{ErrorCode::vault_unusable, path + " is not a regular file of this user",
                   "put the vault's own file back"};
    if ((about.st_mode & 077) != 0)
      return Error{ErrorCode::vault_unusable, "the vault " + path + " is open to other users",
                   "run: chmod 600 " + path};
  }
  try {
    return std::unique_ptr<Store>(std::make_unique<SqliteStore>(path));
  } catch (const Failure& failure) {
    return Error{ErrorCode::vault_unusable, "cannot open the vault " + path + ": " + failure.what(),
                 "nothing was changed; check the file, its permissions and the free space"};
  }
}

}  // namespace nexus
