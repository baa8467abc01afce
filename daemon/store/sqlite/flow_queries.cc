#include "daemon/store/sqlite/rows.h"
#include "daemon/store/sqlite/sqlite_store.h"

namespace nexus::sqlite {
namespace {

#define FLOW_COLUMNS                                                                          \
  "SELECT connection_id, kind, state_hash, redirect_uri, awaited, issuer, pinned, interval, " \
  "expires_at, " FLOW_FITS("flows") " FROM flows "

FlowRow flow_row(const Query& q) {
  FlowRow flow;
  flow.connection_id = q.text(0);
  if (q.number(9) == 0)
    throw Failure(SQLITE_CORRUPT, "the flow of " + flow.connection_id +
                                      " was altered by something else than nexusd");
  flow.kind = word_in<FlowKind>(q, 1, "the flow", flow.connection_id);
  flow.state_hash = q.text(2);
  flow.redirect_uri = q.text(3);
  flow.awaited = q.number(4) != 0;
  flow.issuer = q.text(5);
  flow.pinned = q.text(6);
  flow.interval = q.number(7);
  flow.expires_at = q.number(8);
  return flow;
}

/// What only the flow needed.
void drop_flow_fields(Database& db, const std::string& connection_id) {
  db.query(
        "DELETE FROM credentials WHERE owner = ?1 "
        "AND field IN ('code_verifier', 'device_code')")
      .bind(connection_id)
      .run();
}

}  // namespace

Result<void> SqliteStore::begin_flow(const ConnectionRow& c, const FlowRow& flow,
                                     const std::vector<SealedField>& fields) {
  bool has_row = false;  // so the alias was free, and the flow is what cannot be stored
  return write(
      "flows", "begin_flow",
      [&](Database& db) {
        check_alias_free(db, c.alias);
        db.query(
              "INSERT INTO connections (id, workspace, provider_id, alias, status, "
              "requested_scopes, return_url, replaces, created_at, updated_at, pending_until, "
              "auth_type, metadata, sequence) "
              // Nothing where there is no such provider: references are not SQLite's to check.
              "VALUES (?1, ?2, (SELECT id FROM providers WHERE id = ?3), ?4, 'pending', ?5, ?6, "
              "?7, ?8, ?8, ?9, ?10, ?11, "
              "(SELECT 1 + coalesce(max(sequence), 0) FROM connections))")
            .bind(c.id, c.workspace, c.provider_id, c.alias, c.requested_scopes, c.return_url,
                  c.replaces, c.created_at, c.pending_until, word(c.auth_type), c.metadata)
            .run();
        has_row = true;
        db.query(
              "INSERT INTO flows (connection_id, kind, state_hash, redirect_uri, awaited, issuer, "
              "pinned, interval, expires_at, api_key) "
              "VALUES (?1, ?2, nullif(?3, ''), ?4, ?5, ?6, ?7, ?8, ?9, ?10)")
            .bind(c.id, word(flow.kind), flow.state_hash, flow.redirect_uri,
                  std::int64_t{flow.awaited}, flow.issuer, flow.pinned, flow.interval,
                  flow.expires_at, flow.api_key)
            .run();
        put_fields(db, fields);
      },
      [&] { return has_row ? std::nullopt : std::optional(alias_taken(c.alias)); });
}

Result<std::optional<FlowRow>> SqliteStore::flow(const std::string& state_hash) {
  return read("flows", "flow", [&](Database& db) {
    auto query = db.query(FLOW_COLUMNS "WHERE state_hash = ?1");
    return first(query.bind(state_hash), flow_row);
  });
}

Result<std::optional<FlowRow>> SqliteStore::flow_of(const std::string& connection_id) {
  return read("flows", "flow_of", [&](Database& db) {
    auto query = db.query(FLOW_COLUMNS "WHERE connection_id = ?1");
    return first(query.bind(connection_id), flow_row);
  });
}

Result<bool> SqliteStore::consume_flow(const std::string& connection_id) {
  return write("flows", "consume_flow", [&](Database& db) {
    drop_flow(db, connection_id);
    return db.changes() == 1;
  });
}

Result<std::optional<UnixTime>> SqliteStore::nth_expiry(const std::string& api_key, UnixTime now,
                                                        std::int64_t nth) {
  return read("flows", "nth_expiry", [&](Database& db) {
    const auto found = [](Query& query) {
      return query.next() ? query.optional_number(0) : std::nullopt;
    };
    if (api_key.empty()) {
      auto query = db.query(
          "SELECT pending_until FROM connections INDEXED BY connection_expiries "
          "WHERE status = 'pending' AND pending_until > ?1 ORDER BY pending_until "
          "LIMIT 1 OFFSET ?2");
      return found(query.bind(now, nth));
    }
    auto query = db.query(
        "SELECT expires_at FROM flows INDEXED BY flow_keys "
        "WHERE api_key = ?1 AND api_key <> '' AND expires_at > ?2 ORDER BY expires_at "
        "LIMIT 1 OFFSET ?3");
    return found(query.bind(api_key, now, nth));
  });
}

Result<std::vector<std::string>> SqliteStore::expire_flows(UnixTime now, UnixTime wall_now,
                                                           std::int64_t limit) {
  return write("flows", "expire_flows", [&](Database& db) {
    std::vector<std::string> ids;
    {
      // Also those whose flow was consumed by a daemon that died before it had an answer.
      auto query = db.query(
          "SELECT id FROM connections INDEXED BY connection_expiries "
          "WHERE status = 'pending' AND pending_until <= ?1 ORDER BY pending_until LIMIT ?2");
      ids = all(query.bind(now, limit), [](const Query& q) { return q.text(0); });
    }
    for (const auto& id : ids) {
      drop_fields(db, id);
      drop_flow(db, id);
      db.query(
            "UPDATE connections SET status = 'failed', alias = '', updated_at = ?2, "
            "error_code = 'expired', error_message = 'nobody gave consent in time' "
            "WHERE id = ?1")
          .bind(id, wall_now)
          .run();
    }
    return ids;
  });
}

Result<std::optional<UnixTime>> SqliteStore::next_expiry() {
  return read("flows", "next_expiry", [](Database& db) {
    auto query = db.query(
        "SELECT min(pending_until) FROM connections INDEXED BY connection_expiries "
        "WHERE status = 'pending'");
    std::optional<UnixTime> at;
    if (query.next()) at = query.optional_number(0);
    return at;
  });
}

Result<std::int64_t> SqliteStore::forget_failed(UnixTime failed_by, std::int64_t limit) {
  return write("flows", "forget_failed", [&](Database& db) {
    // Credentials and flow went as it failed; it never had tokens that a revocation could be for.
    db.query(
          "DELETE FROM connections WHERE id IN (SELECT id FROM connections "
          "INDEXED BY connection_failures WHERE status = 'failed' AND updated_at <= ?1 ORDER BY "
          "updated_at LIMIT ?2)")
        .bind(failed_by, limit)
        .run();
    return std::int64_t{db.changes()};
  });
}

Result<std::optional<UnixTime>> SqliteStore::first_failure() {
  return read("flows", "first_failure", [](Database& db) {
    auto query = db.query(
        "SELECT min(updated_at) FROM connections INDEXED BY connection_failures "
        "WHERE status = 'failed'");
    std::optional<UnixTime> at;
    if (query.next()) at = query.optional_number(0);
    return at;
  });
}

Result<std::vector<std::string>> SqliteStore::awaited_redirect_uris() {
  return read("flows", "awaited_redirect_uris", [](Database& db) {
    // From one to the next by the index: there are few, however many flows wait for each.
    auto query = db.query(
        "WITH RECURSIVE awaited_at (uri) AS ("
        "SELECT min(redirect_uri) FROM flows WHERE awaited = 1 UNION ALL "
        "SELECT (SELECT min(redirect_uri) FROM flows WHERE awaited = 1 AND redirect_uri > uri) "
        "FROM awaited_at WHERE uri IS NOT NULL) "
        "SELECT uri FROM awaited_at WHERE uri IS NOT NULL");
    return all(query, [](const Query& q) { return q.text(0); });
  });
}

Result<bool> SqliteStore::activate(const ConnectionRow& c, const std::string& pinned,
                                   const std::vector<SealedField>& fields) {
  return write("connections", "activate", [&](Database& db) {
    // The alias moves first: two connections cannot hold it at once.
    std::string alias = c.alias;
    std::string access;
    if (!c.replaces.empty()) {
      auto query = db.query(
          "SELECT alias, access FROM connections WHERE id = ?1 AND status <> 'revoked' "
          "AND " CONNECTION_FITS("connections"));
      if (query.bind(c.replaces).next()) {
        alias = query.text(0);
        access = query.text(1);
      }
    }
    if (!c.replaces.empty())
      revoke_connection(db, c.replaces, "{\"replaced_by\":\"" + c.id + "\"}", {}, c.updated_at);
    db.query(
          "UPDATE connections SET status = 'active', alias = ?2, issuer = ?3, subject = ?4, "
          "account = ?5, updated_at = ?6, error_code = '', error_message = '', "
          "token_type = ?7, scopes = ?8, obtained_at = ?9, expires_at = ?10, pinned = ?11, "
          "refresh_at = ?12, last_used_at = ?13, token_fields = ?14, "
          "access = iif(?15 = '', access, ?15) WHERE id = ?1 AND status = 'pending'")
        .bind(c.id, alias, c.issuer, c.subject, c.account, c.updated_at, c.token.token_type,
              c.token.scopes, c.token.obtained_at, c.token.expires_at, pinned, c.refresh_at,
              c.last_used_at, c.token.token_fields, access)
        .run();
    if (db.changes() != 1) throw Abandoned{};
    drop_flow(db, c.id);
    drop_flow_fields(db, c.id);
    put_fields(db, fields);
    return true;
  });
}

}  // namespace nexus::sqlite
