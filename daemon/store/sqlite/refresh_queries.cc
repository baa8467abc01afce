#include "daemon/store/sqlite/rows.h"
#include "daemon/store/sqlite/sqlite_store.h"

namespace nexus::sqlite {
namespace {

RevocationRow revocation_row(const Query& q) {
  return {q.text(0), q.number(1), q.number(2), q.number(3)};
}

}  // namespace

Result<bool> SqliteStore::begin_refresh(const std::string& id, std::int64_t generation) {
  return write("connections", "begin_refresh", [&](Database& db) {
    db.query("UPDATE connections SET refresh_sent = ?2 WHERE id = ?1 AND status = 'active'")
        .bind(id, generation)
        .run();
    return db.changes() == 1;
  });
}

Result<bool> SqliteStore::save_refresh(const std::string& id, const TokenFacts& token,
                                       const std::vector<SealedField>& fields,
                                       std::optional<UnixTime> refresh_at, UnixTime last_used_at,
                                       UnixTime now) {
  return write("connections", "save_refresh", [&](Database& db) {
    db.query(
          "UPDATE connections SET token_type = ?2, scopes = ?3, obtained_at = ?4, "
          "expires_at = ?5, last_refresh_at = ?6, updated_at = ?6, "
          "error_code = iif(status = 'active', '', error_code), "
          "error_message = iif(status = 'active', '', error_message), "
          "refresh_at = ?7, refresh_failures = 0, refresh_failing_since = NULL, refresh_sent = 0, "
          "last_used_at = ?8, token_fields = ?9 "
          "WHERE id = ?1 AND status IN ('active', 'attention_required', 'moving')")
        .bind(id, token.token_type, token.scopes, token.obtained_at, token.expires_at, now,
              refresh_at, last_used_at, token.token_fields)
        .run();
    if (db.changes() != 1) throw Abandoned{};
    put_fields(db, fields);
    return true;
  });
}

Result<void> SqliteStore::save_refresh_failure(const ConnectionRow& c, UnixTime now) {
  return write("connections", "save_refresh_failure", [&](Database& db) {
    db.query(
          "UPDATE connections SET error_code = iif(status = 'active', ?2, error_code), "
          "error_message = iif(status = 'active', ?3, error_message), refresh_at = ?4, "
          "refresh_failures = ?5, refresh_sent = ?6, updated_at = ?7, "
          "refresh_failing_since = coalesce(refresh_failing_since, ?7) "
          "WHERE id = ?1 AND status IN ('active', 'moving')")
        .bind(c.id, c.error_code, c.error_message, c.refresh_at, c.refresh_failures, c.refresh_sent,
              now)
        .run();
  });
}

Result<void> SqliteStore::postpone_refreshes(const std::string& provider_id, UnixTime now,
                                             UnixTime until) {
  return write("connections", "postpone_refreshes", [&](Database& db) {
    db.query(
          "UPDATE connections INDEXED BY connection_refreshes SET refresh_at = ?3 "
          "WHERE provider_id = ?1 AND status = 'active' AND refresh_at <= ?2")
        .bind(provider_id, now, until)
        .run();
  });
}

Result<std::vector<std::string>> SqliteStore::due_refreshes(UnixTime now, std::int64_t limit) {
  return read("connections", "due_refreshes", [&](Database& db) {
    auto query = db.query(
        "SELECT id FROM connections INDEXED BY connection_refreshes "
        "WHERE status = 'active' AND auth_type = 'oauth2' AND refresh_at <= ?1 "
        "ORDER BY refresh_at LIMIT ?2");
    return all(query.bind(now, limit), [](const Query& q) { return q.text(0); });
  });
}

Result<std::optional<UnixTime>> SqliteStore::next_refresh_after(UnixTime now) {
  return read("connections", "next_refresh_after", [&](Database& db) {
    auto query = db.query(
        "SELECT min(refresh_at) FROM connections INDEXED BY connection_refreshes "
        "WHERE status = 'active' AND refresh_at > ?1");
    std::optional<UnixTime> at;
    if (query.bind(now).next()) at = query.optional_number(0);
    return at;
  });
}

Result<void> SqliteStore::revoke(const std::string& id, const std::string& outcome,
                                 const std::optional<RevocationRow>& pending, UnixTime now) {
  return write("connections", "revoke",
               [&](Database& db) { revoke_connection(db, id, outcome, pending, now); });
}

Result<std::string> SqliteStore::revocation_outcome(const std::string& id) {
  return read("connections", "revocation_outcome", [&](Database& db) {
    auto query = db.query("SELECT revocation FROM connections WHERE id = ?1");
    return query.bind(id).next() ? query.text(0) : std::string();
  });
}

Result<void> SqliteStore::add_revocation(const RevocationRow& row,
                                         const std::vector<SealedField>& fields) {
  return write("revocations", "add_revocation", [&](Database& db) {
    put_revocation(db, row);
    put_fields(db, fields);
  });
}

Result<std::optional<RevocationRow>> SqliteStore::revocation(const std::string& id) {
  return read("revocations", "revocation", [&](Database& db) {
    auto query = db.query(
        "SELECT connection_id, next_at, failures, give_up_at FROM revocations "
        "WHERE connection_id = ?1");
    return first(query.bind(id), revocation_row);
  });
}

Result<std::vector<RevocationRow>> SqliteStore::due_revocations(UnixTime now, std::int64_t limit) {
  return read("revocations", "due_revocations", [&](Database& db) {
    auto query = db.query(
        "SELECT connection_id, next_at, failures, give_up_at FROM revocations "
        "WHERE next_at <= ?1 ORDER BY next_at LIMIT ?2");
    return all(query.bind(now, limit), revocation_row);
  });
}

Result<std::optional<UnixTime>> SqliteStore::next_revocation() {
  return read("revocations", "next_revocation", [](Database& db) {
    auto query = db.query("SELECT min(next_at) FROM revocations");
    std::optional<UnixTime> at;
    if (query.next()) at = query.optional_number(0);
    return at;
  });
}

Result<void> SqliteStore::postpone_revocation(const RevocationRow& row) {
  return write("revocations", "postpone_revocation",
               [&](Database& db) { put_revocation(db, row); });
}

Result<void> SqliteStore::finish_revocation(const std::string& id, const std::string& outcome) {
  return write("revocations", "finish_revocation", [&](Database& db) {
    db.query("DELETE FROM revocations WHERE connection_id = ?1").bind(id).run();
    if (status_of(db, id) != ConnectionStatus::revoked) return;  // nobody disconnected it
    drop_fields(db, id);
    db.query("UPDATE connections SET revocation = ?2 WHERE id = ?1").bind(id, outcome).run();
    purge_unused_providers(db);
  });
}

}  // namespace nexus::sqlite
