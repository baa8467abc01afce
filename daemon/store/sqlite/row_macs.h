#pragma once

#include "common/secret.h"
#include "daemon/store/sqlite/database.h"
#include "daemon/vault/vault.h"

namespace nexus::sqlite {

/// Message authentication codes (keyed BLAKE2b, 16 bytes) of the rows that decide where secrets go
/// and who gets them, under a key of the vault: who can write the file, but has no key, cannot
/// redirect a token, widen an API key or bring back an older secret without being noticed.
///
/// They are computed inside SQLite. `row_mac(kind, columns…)` is there on every connection that
/// `use_row_key` was called on. The writer's triggers keep `mac` in step with the columns that it
/// is made of, whichever statement writes them; a row that did not fit before it was changed does
/// not fit afterwards. The triggers are temporary: nothing of them is in the file.

/// What is covered of each table; `row` is what its columns are named by: an alias, NEW, OLD. What
/// is left out decides nothing: times that are told, back-off, texts of errors.
#define CONNECTION_MAC_WITH(row, more)                                                             \
  "row_mac('connection', " row ".id, " row ".workspace, " row ".provider_id, " row                 \
  ".auth_type, " row ".alias, " row ".status, " row ".requested_scopes, " row ".issuer, " row      \
  ".subject, " row ".account, " row ".return_url, " row ".replaces, " row ".pending_until, " row   \
  ".token_type, " row ".scopes, " row ".obtained_at, " row ".expires_at, " row ".revocation, " row \
  ".pinned, " row ".metadata, " row ".sequence, " row ".generations" more ")"
/// Without token_fields the code is that of earlier versions, which had none.
#define CONNECTION_MAC(row)                                                                \
  "iif(" row ".token_fields = '', " CONNECTION_MAC_WITH(row, "") ", " CONNECTION_MAC_WITH( \
      row, ", " row ".token_fields") ")"
/// A profile has its own, so that reading a connection does not hash its provider's profile.
#define PROFILE_MAC(row) "row_mac('profile', " row ".id, " row ".profile)"
#define PROVIDER_MAC_WITH(row, profile_mac)                             \
  "row_mac('provider', " row ".id, " row ".name, " row ".deleted, " row \
  ".generations, " profile_mac ")"
#define PROVIDER_MAC(row) PROVIDER_MAC_WITH(row, row ".profile_mac")
#define FLOW_MAC(row)                                                                      \
  "row_mac('flow', " row ".connection_id, " row ".kind, " row ".state_hash, " row          \
  ".redirect_uri, " row ".awaited, " row ".issuer, " row ".pinned, " row ".interval, " row \
  ".expires_at, " row ".api_key)"
#define API_KEY_MAC(row)                                                            \
  "row_mac('api_key', " row ".id, " row ".name, " row ".hash, " row ".access, " row \
  ".created_at, " row ".expires_at)"

#define AUDIT_MAC(sequence, record) "row_mac('audit', " sequence ", " record ")"

/// `key` (32 bytes) has to outlive the database.
void use_row_key(Database& database, const Secret& key);

/// Keeps the codes, from now on: for the writer.
void keep_macs(Database& database);

/// Computes the codes of all that is there, taking it as it is, and stores the header that says so.
/// Before `keep_macs`.
void adopt_rows(Database& database, const VaultHeader& header);

}  // namespace nexus::sqlite
