#include "daemon/store/sqlite/schema.h"

#include <array>
#include <span>

#include "daemon/store/sqlite/earlier_copy.h"

namespace nexus::sqlite {
namespace {

// A step is never edited once it has been released: a change is a new step.
constexpr std::array kVaultSteps{R"sql(
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE providers (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  profile TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  deleted INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE UNIQUE INDEX provider_names ON providers (name) WHERE deleted = 0;
CREATE TABLE connections (
  id TEXT PRIMARY KEY,
  workspace TEXT NOT NULL,
  provider_id TEXT NOT NULL REFERENCES providers (id),
  alias TEXT NOT NULL DEFAULT '',
  status TEXT NOT NULL,
  requested_scopes TEXT NOT NULL DEFAULT '',
  issuer TEXT NOT NULL DEFAULT '',
  subject TEXT NOT NULL DEFAULT '',
  account TEXT NOT NULL DEFAULT '',
  return_url TEXT NOT NULL DEFAULT '',
  replaces TEXT NOT NULL DEFAULT '',
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  pending_until INTEGER NOT NULL DEFAULT 0,
  last_refresh_at INTEGER,
  error_code TEXT NOT NULL DEFAULT '',
  error_message TEXT NOT NULL DEFAULT '',
  token_type TEXT NOT NULL DEFAULT '',
  scopes TEXT NOT NULL DEFAULT '',
  obtained_at INTEGER NOT NULL DEFAULT 0,
  expires_at INTEGER,
  revocation TEXT NOT NULL DEFAULT '',
  pinned TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE UNIQUE INDEX connection_aliases ON connections (workspace, alias) WHERE alias <> '';
CREATE INDEX connection_providers ON connections (provider_id, workspace, status);
CREATE INDEX connection_workspaces ON connections (workspace, created_at);
CREATE INDEX connection_statuses ON connections (status);
CREATE TABLE credentials (
  owner TEXT NOT NULL,
  field TEXT NOT NULL,
  generation INTEGER NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY (owner, field)
) WITHOUT ROWID;
CREATE TABLE flows (
  state_hash TEXT PRIMARY KEY,
  connection_id TEXT NOT NULL REFERENCES connections (id),
  redirect_uri TEXT NOT NULL,
  pinned TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX flow_expiries ON flows (expires_at);
)sql",
                                 R"sql(
CREATE TABLE api_keys (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  hash BLOB NOT NULL,
  access TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER
) WITHOUT ROWID;
)sql",
                                 R"sql(
ALTER TABLE connections ADD COLUMN auth_type TEXT NOT NULL DEFAULT 'oauth2';
)sql",
                                 R"sql(
ALTER TABLE connections ADD COLUMN refresh_at INTEGER;
ALTER TABLE connections ADD COLUMN refresh_sent INTEGER NOT NULL DEFAULT 0;
ALTER TABLE connections ADD COLUMN refresh_failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE connections ADD COLUMN last_used_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE flows ADD COLUMN pasted INTEGER NOT NULL DEFAULT 0;
UPDATE connections SET refresh_at = expires_at WHERE status = 'active' AND EXISTS (
  SELECT 1 FROM credentials WHERE owner = connections.id AND field = 'refresh_token');
CREATE INDEX connection_refreshes ON connections (refresh_at)
  WHERE status = 'active' AND refresh_at IS NOT NULL;
)sql",
                                 R"sql(
CREATE TABLE revocations (
  connection_id TEXT PRIMARY KEY REFERENCES connections (id),
  next_at INTEGER NOT NULL,
  failures INTEGER NOT NULL DEFAULT 0,
  give_up_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX revocation_times ON revocations (next_at);
)sql",
                                 // A flow has a kind; one that nobody brings a state for is found
                                 // by its connection. Lists go by id, page by page.
                                 R"sql(
CREATE TABLE flows_by_connection (
  connection_id TEXT PRIMARY KEY REFERENCES connections (id),
  kind TEXT NOT NULL,
  state_hash TEXT UNIQUE,
  redirect_uri TEXT NOT NULL,
  awaited INTEGER NOT NULL,
  issuer TEXT NOT NULL,
  pinned TEXT NOT NULL,
  interval INTEGER NOT NULL DEFAULT 0,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;
INSERT OR IGNORE INTO flows_by_connection
  SELECT connection_id,
         CASE WHEN redirect_uri = 'urn:nexus:device' THEN 'device'
              WHEN json_extract(pinned, '$.token') IS NULL THEN 'capture' ELSE 'code' END,
         iif(redirect_uri = 'urn:nexus:device', NULL, state_hash),
         iif(redirect_uri = 'urn:nexus:device', '', redirect_uri),
         pasted = 0, coalesce(json_extract(pinned, '$.issuer'), ''),
         iif(json_extract(pinned, '$.token') IS NULL, '', json_remove(pinned, '$.device_interval')),
         coalesce(json_extract(pinned, '$.device_interval'), 0), expires_at
  FROM flows WHERE json_valid(pinned);
DROP TABLE flows;
ALTER TABLE flows_by_connection RENAME TO flows;
CREATE INDEX flow_listeners ON flows (redirect_uri) WHERE awaited = 1;
DELETE FROM credentials WHERE field = 'device_state';
DROP INDEX connection_workspaces;
CREATE INDEX connection_lists ON connections (workspace, id) WHERE status <> 'revoked';
CREATE INDEX connection_expiries ON connections (pending_until) WHERE status = 'pending';
)sql",
                                 // What nexusd knew of Google by its issuer are settings now.
                                 R"sql(
UPDATE providers SET profile = json_set(profile,
    '$.params.access_type', coalesce(json_extract(profile, '$.params.access_type'), 'offline'),
    '$.params.prompt', coalesce(json_extract(profile, '$.params.prompt'), 'consent'),
    '$.params.offline_access_scope', json('false'))
  WHERE json_valid(profile) AND json_extract(profile, '$.issuer') = 'https://accounts.google.com'
    AND coalesce(json_extract(profile, '$.auth_type'), 'oauth2') = 'oauth2';
)sql",
                                 // No statement walks through all providers.
                                 R"sql(
CREATE INDEX deleted_providers ON providers (name) WHERE deleted = 1;
)sql",
                                 // Which connection is newer does not hang on the clock, and what
                                 // was never used counts from when it was made.
                                 R"sql(
ALTER TABLE connections ADD COLUMN sequence INTEGER NOT NULL DEFAULT 0;
UPDATE connections SET sequence = made.number, last_used_at = max(last_used_at, created_at)
  FROM (SELECT id AS made_id, row_number() OVER (ORDER BY created_at, id) AS number
        FROM connections) AS made
  WHERE id = made.made_id;
CREATE INDEX connection_sequence ON connections (sequence);
)sql",
                                 R"sql(
ALTER TABLE connections ADD COLUMN metadata TEXT NOT NULL DEFAULT '';
)sql",
                                 // It is told since when refreshes fail, and when a key was used;
                                 // failed attempts are forgotten, those that failed first.
                                 R"sql(
ALTER TABLE connections ADD COLUMN refresh_failing_since INTEGER;
ALTER TABLE api_keys ADD COLUMN last_used_at INTEGER;
CREATE INDEX connection_failures ON connections (updated_at) WHERE status = 'failed';
CREATE INDEX connection_names ON connections (alias) WHERE alias <> '';
)sql",
                                 // See row_macs.h. Filled in when the vault's key is there.
                                 R"sql(
ALTER TABLE connections ADD COLUMN generations TEXT NOT NULL DEFAULT '{}';
ALTER TABLE connections ADD COLUMN mac BLOB;
ALTER TABLE providers ADD COLUMN generations TEXT NOT NULL DEFAULT '{}';
ALTER TABLE providers ADD COLUMN profile_mac BLOB;
ALTER TABLE providers ADD COLUMN mac BLOB;
ALTER TABLE flows ADD COLUMN mac BLOB;
ALTER TABLE api_keys ADD COLUMN mac BLOB;
)sql",
                                 // No API key has more than so many connections waiting.
                                 R"sql(
ALTER TABLE flows ADD COLUMN api_key TEXT NOT NULL DEFAULT '';
CREATE INDEX flow_keys ON flows (api_key, expires_at) WHERE api_key <> '';
)sql",
                                 // A provider is meant by its name in whichever letters.
                                 R"sql(
DROP INDEX connection_names;
CREATE INDEX connection_names ON connections (alias COLLATE NOCASE) WHERE alias <> '';
)sql",
                                 R"sql(
ALTER TABLE connections ADD COLUMN token_fields TEXT NOT NULL DEFAULT '';
)sql",
                                 // Nothing but the number: the vault's header says from here on
                                 // that the audit log is chained, which earlier versions take for
                                 // a wrong key. This refuses them first.
                                 "",
                                 // Who may use a connection, "" for all who reach nexusd.
                                 R"sql(
ALTER TABLE connections ADD COLUMN access TEXT NOT NULL DEFAULT '';
)sql"};

constexpr std::array kAuditSteps{R"sql(
CREATE TABLE audit (
  seq INTEGER PRIMARY KEY,
  record TEXT NOT NULL
);
)sql",
                                 // See row_macs.h.
                                 R"sql(
ALTER TABLE audit ADD COLUMN mac BLOB;
)sql",
                                 // See audit_chain.h; the anchor is where the chain begins.
                                 R"sql(
ALTER TABLE audit ADD COLUMN chain BLOB;
CREATE TABLE audit_anchor (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  seq INTEGER NOT NULL,
  chain BLOB NOT NULL,
  mac BLOB NOT NULL
);
)sql"};

constexpr std::int64_t kApplicationId = 0x4e584453;  // "NXDS"

/// How many of the steps it has had.
std::int64_t schema_of(Database& database, std::span<const char* const> steps) {
  std::int64_t version = 0;
  {
    auto query = database.query("PRAGMA user_version");
    query.next();
    version = query.number(0);
  }
  {
    auto query = database.query("PRAGMA application_id");
    query.next();
    if (version != 0 && query.number(0) != kApplicationId)
      throw Failure(SQLITE_NOTADB, "the file is not one of nexusd's");
  }
  if (version > static_cast<std::int64_t>(steps.size()))
    throw Failure(SQLITE_MISMATCH, "a newer nexusd has written this file");
  return version;
}

void migrate(Database& database, std::span<const char* const> steps) {
  const auto version = schema_of(database, steps);
  const auto newest = static_cast<std::int64_t>(steps.size());
  if (version == 0) database.execute("PRAGMA journal_mode=WAL");
  if (version > 0) drop_earlier_copies(database, newest);
  if (version > 0 && version < newest) keep_earlier_copy(database, newest);
  for (auto step = static_cast<std::size_t>(version); step < steps.size(); ++step) {
    Transaction transaction(database);
    database.execute(steps[step]);
    database.execute("PRAGMA application_id=" + std::to_string(kApplicationId));
    database.execute("PRAGMA user_version=" + std::to_string(step + 1));
    transaction.commit();
  }
}

}  // namespace

void migrate_vault(Database& database) {
  migrate(database, kVaultSteps);
}
void migrate_audit(Database& database) {
  migrate(database, kAuditSteps);
}

bool check_vault_schema(Database& database) {
  return schema_of(database, kVaultSteps) > 0;
}
bool check_audit_schema(Database& database) {
  return schema_of(database, kAuditSteps) > 0;
}

}  // namespace nexus::sqlite
