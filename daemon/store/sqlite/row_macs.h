#pragma once

#include <functional>
#include <memory>

#include "common/secret.h"
#include "daemon/store/sqlite/database.h"
#include "daemon/vault/vault.h"

namespace nexus::sqlite {

/// Message authentication codes (keyed BLAKE2b, 16 bytes) of the rows that decide where secrets go
/// and who gets them, under a key of the vault: who can write the file, but has no key, cannot
/// redirect a token, widen an API key or bring back an older secret without being noticed.
///
/// They are computed inside SQLite. `row_mac(kind, columns…)` is there on every connection that
/// `use_row_keys` was called on, and `row_fits(mac, kind, columns…)`, which takes the code of the
/// earlier vault key as well while the vault goes over to another. The writer's triggers keep `mac`
/// in step with the columns that it is made of, whichever statement writes them; a row that did not
/// fit before it was changed does not fit afterwards. The triggers are temporary: nothing of them
/// is in the file.

/// What is covered of each table; `row` is what its columns are named by: an alias, NEW, OLD. What
/// is left out decides nothing: times that are told, back-off, texts of errors.
#define CONNECTION_CODED(row, more)                                                                \
  "'connection', " row ".id, " row ".workspace, " row ".provider_id, " row ".auth_type, " row      \
  ".alias, " row ".status, " row ".requested_scopes, " row ".issuer, " row ".subject, " row        \
  ".account, " row ".return_url, " row ".replaces, " row ".pending_until, " row                    \
  ".token_type, " row ".scopes, " row ".obtained_at, " row ".expires_at, " row ".revocation, " row \
  ".pinned, " row ".metadata, " row ".sequence, " row ".generations" more ")"
/// Without token_fields and access the code is that of earlier versions, which had none. With
/// access both are there, so that neither can take the other's place.
#define CONNECTION_EITHER(row, begin)                                                          \
  "CASE WHEN " row ".access <> '' THEN " begin CONNECTION_CODED(                               \
      row,                                                                                     \
      ", " row ".token_fields, " row ".access") " WHEN " row ".token_fields <> '' THEN " begin \
  CONNECTION_CODED(row, ", " row ".token_fields") " ELSE " begin                               \
  CONNECTION_CODED(row, "") " END"
#define CONNECTION_MAC(row) CONNECTION_EITHER(row, "row_mac(")
#define CONNECTION_FITS(row) CONNECTION_EITHER(row, "row_fits(" row ".mac, ")
/// A profile has its own, so that reading a connection does not hash its provider's profile.
#define PROFILE_CODED(row) "'profile', " row ".id, " row ".profile)"
#define PROFILE_MAC(row) "row_mac(" PROFILE_CODED(row)
#define PROFILE_FITS(row) "row_fits(" row ".profile_mac, " PROFILE_CODED(row)
#define PROVIDER_CODED(row, profile_mac) \
  "'provider', " row ".id, " row ".name, " row ".deleted, " row ".generations, " profile_mac ")"
#define PROVIDER_MAC_WITH(row, profile_mac) "row_mac(" PROVIDER_CODED(row, profile_mac)
#define PROVIDER_FITS(row) "row_fits(" row ".mac, " PROVIDER_CODED(row, row ".profile_mac")
#define FLOW_CODED(row)                                                                         \
  "'flow', " row ".connection_id, " row ".kind, " row ".state_hash, " row ".redirect_uri, " row \
  ".awaited, " row ".issuer, " row ".pinned, " row ".interval, " row ".expires_at, " row        \
  ".api_key)"
#define FLOW_MAC(row) "row_mac(" FLOW_CODED(row)
#define FLOW_FITS(row) "row_fits(" row ".mac, " FLOW_CODED(row)
#define API_KEY_CODED(row)                                                                      \
  "'api_key', " row ".id, " row ".name, " row ".hash, " row ".access, " row ".created_at, " row \
  ".expires_at)"
#define API_KEY_MAC(row) "row_mac(" API_KEY_CODED(row)
#define API_KEY_FITS(row) "row_fits(" row ".mac, " API_KEY_CODED(row)

#define AUDIT_MAC(sequence, record) "row_mac('audit', " sequence ", " record ")"

/// What rows are authenticated with at any time. It is called by whoever uses the database.
using RowKeySource = std::function<std::shared_ptr<const Vault::RowKeys>()>;

/// One key, which no rotation replaces.
RowKeySource always(const Secret& key);

/// Both have to outlive the database.
void use_row_keys(Database& database, const RowKeySource& keys);
/// `seal_anew(owner, field, generation, sealed)`: what is stored is sealed with the present vault
/// key, whenever it was sealed.
void use_vault(Database& database, const Vault& vault);

/// Keeps the codes, from now on: for the writer.
void keep_macs(Database& database);

/// Computes the codes of all that is there, taking it as it is, and stores the header that says so.
/// Before `keep_macs`.
void adopt_rows(Database& database, const VaultHeader& header);

/// In place of the one that is there.
void put_wrapped_key(Database& database, const VaultHeader& header);

}  // namespace nexus::sqlite
