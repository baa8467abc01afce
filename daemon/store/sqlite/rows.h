#pragma once

#include <initializer_list>

#include "daemon/store/sqlite/row_macs.h"
#include "daemon/store/store.h"

namespace nexus::sqlite {

/// Rows as values, and the writes that several methods of the store have in common. All of it
/// throws Failure, also for a row that cannot be understood, whose key is in the message.
///
/// What is looked for by a status and a time names its index (INDEXED BY): SQLite knows nothing of
/// how many connections have which status, takes connection_statuses and sorts them all. A
/// statement whose index cannot serve it fails.

/// The columns of a connection, in the order that `connection_row` reads them; `more` goes on after
/// them.
#define CONNECTION_COLUMNS_WITH(metadata, more) \
  "c.id, c.workspace, c.provider_id, p.name, c.alias, c.status, c.requested_scopes, c.issuer, "   \
  "c.subject, c.account, c.return_url, c.replaces, c.created_at, c.updated_at, c.pending_until, " \
  "c.last_refresh_at, c.error_code, c.error_message, c.token_type, c.scopes, c.obtained_at, "     \
  "c.expires_at, c.auth_type, c.refresh_at, c.refresh_failures, c.refresh_sent, "                 \
  "c.last_used_at, "                                                                              \
  "CASE c.status WHEN 'pending' THEN (SELECT kind FROM flows WHERE connection_id = c.id) END, "   \
  "CASE WHEN c.expires_at IS NOT NULL OR c.auth_type <> 'oauth2' THEN 0 WHEN "                    \
  "json_valid(p.profile) THEN "                                                                   \
  "json_extract(p.profile, '$.params.tokens_never_expire') IN (1, 'true') OR "                    \
  "json_extract(p.profile, '$.params.untold_expiry_is_never') IN (1, 'true') END, " metadata      \
  ", "                                                                                            \
  "c.refresh_failing_since, c.token_fields, c.access, c.generations, "                                                      \
  "CASE WHEN NOT " CONNECTION_FITS("c") " THEN 'its record' "                             \
  "WHEN NOT " PROVIDER_FITS("p") " THEN 'its provider''s record' END, " more              \
  " FROM connections c JOIN providers p ON p.id = c.provider_id "
#define CONNECTION_COLUMNS_AND(more) CONNECTION_COLUMNS_WITH("c.metadata", more)
#define CONNECTION_COLUMNS CONNECTION_COLUMNS_AND("NULL")
constexpr int kGenerations = 33;
constexpr int kConnectionColumns = 35;

ConnectionRow connection_row(const Query& query);
SealedField sealed_field(const Query& query);
/// The first of the fields whose stored value is not the latest, or is missing, by what their
/// owner's row says of them; "" where all are right.
std::string not_latest(const std::string& generations, const std::vector<SealedField>& stored,
                       std::initializer_list<SecretField> fields);
/// The same for all that their owner has.
std::string not_latest(const std::string& generations, const std::vector<SealedField>& stored);
/// A connection whose record cannot be understood, or trusted, has failed and says why.
void take_out_of_service(ConnectionRow& row, const std::string& why);

std::vector<SealedField> fields_of(Database& db, const std::string& owner);
void put_fields(Database& db, const std::vector<SealedField>& fields);
void drop_fields(Database& db, const std::string& owner);
void drop_flow(Database& db, const std::string& connection_id);

/// Nothing where there is no such connection.
std::optional<ConnectionStatus> status_of(Database& db, const std::string& connection_id);

/// Inserts a provider or writes all of it anew, with all that is sealed of it
/// (provider_queries.cc).
void put_provider(Database& db, const ProviderRow& row, const std::vector<SealedField>& fields);

void put_revocation(Database& db, const RevocationRow& row);
/// Destroys a connection's credentials (but for those that `pending` still needs) and says so.
void revoke_connection(Database& db, const std::string& id, const std::string& outcome,
                       const std::optional<RevocationRow>& pending, UnixTime now);
/// Providers taken off the list lose their secrets once no connection needs them any more.
void purge_unused_providers(Database& db);

template <class Row>
std::optional<std::invoke_result_t<Row, const Query&>> first(Query& query, Row row) {
  if (!query.next()) return std::nullopt;
  return row(query);
}

template <class Row>
std::vector<std::invoke_result_t<Row, const Query&>> all(Query& query, Row row) {
  std::vector<std::invoke_result_t<Row, const Query&>> rows;
  while (query.next()) rows.push_back(row(query));
  return rows;
}

/// The enum value that a column's word stands for.
template <class Enum>
Enum word_in(const Query& query, int column, const char* what, const std::string& key) {
  const auto text = query.text(column);
  if (const auto value = from_word<Enum>(text)) return *value;
  throw Failure(SQLITE_CORRUPT, std::string(what) + " of " + key + " is unknown: " + text);
}

/// Nothing where no vault was made in there yet.
std::optional<VaultHeader> header_in(Database& database);

}  // namespace nexus::sqlite
