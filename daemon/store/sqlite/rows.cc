#include "daemon/store/sqlite/rows.h"

#include <algorithm>
#include <cstdlib>

#include "daemon/store/transitions.h"

namespace nexus::sqlite {

namespace {

/// What the row says of a field; 0 for none.
std::int64_t latest(const std::string& generations, std::string_view field) {
  const auto member = '"' + std::string(field) + "\":";
  const auto at = generations.find(member);
  return at == std::string::npos
             ? 0
             : std::strtoll(generations.c_str() + at + member.size(), nullptr, 10);
}

/// Rules that nobody understands let nobody in.
void read_use_rules(ConnectionRow& row, const std::string& text) {
  if (text.empty()) return;
  auto rules = api::use_rules_in(text);
  if (rules)
    row.use_rules = std::make_shared<const api::UseRules>(*std::move(rules));
  else
    take_out_of_service(row, "its record is damaged: who may use it cannot be read");
}

}  // namespace

void take_out_of_service(ConnectionRow& row, const std::string& why) {
  row.status = ConnectionStatus::failed;
  row.error_code = kRecordDamaged;
  row.error_message = why;
  // What may be somebody else's leads nobody anywhere.
  for (auto* text : {&row.return_url, &row.replaces, &row.metadata, &row.token.token_fields})
    text->clear();
}

ConnectionRow connection_row(const Query& q) {
  ConnectionRow row;
  row.id = q.text(0);
  row.workspace = q.text(1);
  row.provider_id = q.text(2);
  row.provider_name = q.text(3);
  row.alias = q.text(4);
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
  row.token = {q.text(18), q.text(19), q.number(20), q.optional_number(21), q.text(31)};
  row.refresh_at = q.optional_number(23);
  row.refresh_failures = q.number(24);
  row.refresh_sent = q.number(25);
  row.last_used_at = q.number(26);
  row.tokens_never_expire = q.optional_number(28).value_or(0) != 0;
  row.metadata = q.text(29);
  row.refresh_failing_since = q.optional_number(30);
  const auto read = [&](auto& into, int column, const char* what) {
    const auto word = q.text(column);
    if (const auto value = from_word<std::decay_t<decltype(into)>>(word))
      into = *value;
    else
      take_out_of_service(
          row, std::string("its record is damaged: the ") + what + " is unknown: " + word);
  };
  read(row.status, 5, "status");
  read(row.auth_type, 22, "type");
  read_use_rules(row, q.text(32));
  if (!q.text(27).empty()) read(row.waits_for.emplace(), 27, "flow");
  if (const auto altered = q.text(kGenerations + 1); !altered.empty())
    take_out_of_service(row, altered + " was altered by something else than nexusd");
  return row;
}

std::string not_latest(const std::string& generations, const std::vector<SealedField>& stored,
                       std::initializer_list<SecretField> fields) {
  for (const auto field : fields) {
    const auto found = std::find_if(stored.begin(), stored.end(),
                                    [field](const auto& one) { return one.field == field; });
    const auto generation = found == stored.end() ? 0 : found->generation;
    if (generation != latest(generations, word(field))) return std::string(word(field));
  }
  return {};
}

std::string not_latest(const std::string& generations, const std::vector<SealedField>& stored) {
  for (const auto& one : stored)
    if (auto name = not_latest(generations, stored, {one.field}); !name.empty()) return name;
  const auto members = std::count(generations.begin(), generations.end(), ':');
  return static_cast<std::size_t>(members) == stored.size() ? "" : "secret";
}

SealedField sealed_field(const Query& q) {
  auto owner = q.text(0);
  const auto field = word_in<SecretField>(q, 1, "a sealed field", owner);
  return {std::move(owner), field, q.number(2), q.text(3)};
}

std::vector<SealedField> fields_of(Database& db, const std::string& owner) {
  auto query = db.query(
      "SELECT owner, field, generation, sealed FROM credentials "
      "WHERE owner = ?1");
  return all(query.bind(owner), sealed_field);
}

void put_fields(Database& db, const std::vector<SealedField>& fields) {
  for (const auto& field : fields)
    db.query(
          "INSERT OR REPLACE INTO credentials (owner, field, generation, sealed) "
          "VALUES (?1, ?2, ?3, seal_anew(?1, ?2, ?3, CAST(?4 AS BLOB)))")
        .bind(field.owner, word(field.field), field.generation, field.sealed)
        .run();
}

void drop_fields(Database& db, const std::string& owner) {
  db.query("DELETE FROM credentials WHERE owner = ?1").bind(owner).run();
}

void drop_flow(Database& db, const std::string& connection_id) {
  db.query("DELETE FROM flows WHERE connection_id = ?1").bind(connection_id).run();
}

std::optional<ConnectionStatus> status_of(Database& db, const std::string& connection_id) {
  auto query = db.query("SELECT status FROM connections WHERE id = ?1");
  return first(query.bind(connection_id), [&](const Query& q) {
    return from_word<ConnectionStatus>(q.text(0)).value_or(ConnectionStatus::failed);
  });
}

void put_revocation(Database& db, const RevocationRow& row) {
  db.query(
        "INSERT OR REPLACE INTO revocations (connection_id, next_at, failures, give_up_at) "
        "VALUES (?1, ?2, ?3, ?4)")
      .bind(row.connection_id, row.next_at, row.failures, row.give_up_at)
      .run();
}

void revoke_connection(Database& db, const std::string& id, const std::string& outcome,
                       const std::optional<RevocationRow>& pending, UnixTime now) {
  const auto before = status_of(db, id);
  if (!before || !may_become(*before, ConnectionStatus::revoked)) return;
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
  drop_flow(db, id);
  db.query(
        "UPDATE connections SET status = 'revoked', alias = '', return_url = '', metadata = '', "
        "token_fields = '', revocation = ?2, updated_at = ?3, error_code = '', error_message = '' "
        "WHERE id = ?1")
      .bind(id, outcome, now)
      .run();
  purge_unused_providers(db);
}

void purge_unused_providers(Database& db) {
  constexpr auto unused =
      "deleted = 1 AND NOT EXISTS (SELECT 1 FROM connections c WHERE c.provider_id = providers.id "
      "AND (c.status IN ('pending', 'active', 'attention_required', 'moving') "
      "OR EXISTS (SELECT 1 FROM revocations r WHERE r.connection_id = c.id)))";
  db.execute(
      std::string("DELETE FROM credentials WHERE owner IN (SELECT id FROM providers WHERE ") +
      unused + ")");
}

std::optional<VaultHeader> header_in(Database& database) {
  std::optional<VaultHeader> header;
  auto query = database.query("SELECT key, value FROM meta");
  while (query.next()) {
    if (!header) header.emplace();
    const auto key = query.text(0);
    if (key == "vault_id") header->vault_id = query.text(1);
    if (key == "wrapped_key") header->wrapped_key = query.text(1);
    if (key == "key_source") header->key_source = from_word<KeySource>(query.text(1));
    if (key == "key_derivation") header->key_derivation = query.text(1);
  }
  return header;
}

}  // namespace nexus::sqlite
