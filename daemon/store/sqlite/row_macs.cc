#include "daemon/store/sqlite/row_macs.h"

#include <sodium.h>

#include <array>

#include "common/bytes.h"

namespace nexus::sqlite {
namespace {

constexpr std::size_t kMac = crypto_generichash_BYTES_MIN;

/// Adds a value with its kind and its length, so that no two rows make the same text.
void add(crypto_generichash_state& state, sqlite3_value* value) {
  const int type = sqlite3_value_type(value);
  std::array<unsigned char, 9> head{};
  const void* bytes = nullptr;
  std::uint64_t number = 0;
  if (type == SQLITE_INTEGER) {
    head[0] = 'i';
    number = static_cast<std::uint64_t>(sqlite3_value_int64(value));
  } else if (type != SQLITE_NULL) {
    head[0] = type == SQLITE_BLOB ? 'b' : 't';  // the two are never equal in a statement
    bytes = sqlite3_value_blob(value);
    number = static_cast<std::uint64_t>(sqlite3_value_bytes(value));
  }
  for (std::size_t i = 0; i < 8; ++i) head[1 + i] = static_cast<unsigned char>(number >> (8 * i));
  crypto_generichash_update(&state, head.data(), head.size());
  if (bytes) crypto_generichash_update(&state, static_cast<const unsigned char*>(bytes), number);
}

void row_mac(sqlite3_context* context, int count, sqlite3_value** values) {
  const auto key = static_cast<const Secret*>(sqlite3_user_data(context))->expose();
  crypto_generichash_state state;
  crypto_generichash_init(&state, bytes_of(key), key.size(), kMac);
  for (int i = 0; i < count; ++i) add(state, values[i]);
  std::array<unsigned char, kMac> mac{};
  crypto_generichash_final(&state, mac.data(), mac.size());
  sqlite3_result_blob(context, mac.data(), static_cast<int>(mac.size()), SQLITE_TRANSIENT);
}

#define NEW_PROVIDER_MACS \
  "profile_mac = " PROFILE_MAC("NEW") ", mac = " PROVIDER_MAC_WITH("NEW", PROFILE_MAC("NEW"))

// Which sealed value of a field is the latest is told by its owner's row, one field at a time: what
// somebody else put among them meanwhile does not become right by it. A field that could not be a
// name of ours is no part of a path.
#define KEEP_GENERATIONS(name, event, owner, generations)                        \
  "CREATE TEMP TRIGGER " name " AFTER " event " ON main.credentials WHEN " owner \
  ".field NOT GLOB '*[^a-z_]*' BEGIN "                                           \
  "UPDATE connections SET generations = " generations " WHERE id = " owner       \
  ".owner; "                                                                     \
  "UPDATE providers SET generations = " generations " WHERE id = " owner ".owner; END;"

constexpr auto kTriggers =
    "CREATE TEMP TRIGGER new_connection AFTER INSERT ON main.connections BEGIN "
    "UPDATE connections SET mac = " CONNECTION_MAC("NEW") " WHERE id = NEW.id; END;"
    "CREATE TEMP TRIGGER changed_connection AFTER UPDATE OF id, workspace, provider_id, auth_type, "
    "alias, status, requested_scopes, issuer, subject, account, return_url, replaces, "
    "pending_until, token_type, scopes, obtained_at, expires_at, revocation, pinned, metadata, "
    "sequence, generations, token_fields "
    "ON main.connections WHEN OLD.mac IS " CONNECTION_MAC("OLD") " BEGIN "
    "UPDATE connections SET mac = " CONNECTION_MAC("NEW") " WHERE id = NEW.id; END;"
    "CREATE TEMP TRIGGER new_provider AFTER INSERT ON main.providers BEGIN "
    "UPDATE providers SET " NEW_PROVIDER_MACS " WHERE id = NEW.id; END;"
    "CREATE TEMP TRIGGER changed_provider AFTER UPDATE OF id, name, profile, deleted, generations "
    "ON main.providers WHEN OLD.profile_mac IS " PROFILE_MAC("OLD")
    " AND OLD.mac IS " PROVIDER_MAC("OLD") " BEGIN "
    "UPDATE providers SET " NEW_PROVIDER_MACS " WHERE id = NEW.id; END;"
    "CREATE TEMP TRIGGER new_flow AFTER INSERT ON main.flows BEGIN "
    "UPDATE flows SET mac = " FLOW_MAC("NEW") " WHERE connection_id = NEW.connection_id; END;"
    "CREATE TEMP TRIGGER new_api_key AFTER INSERT ON main.api_keys BEGIN "
    "UPDATE api_keys SET mac = " API_KEY_MAC("NEW") " WHERE id = NEW.id; END;"
    KEEP_GENERATIONS("new_credential", "INSERT", "NEW",
                     "iif(json_valid(generations), "
                     "json_set(generations, '$.' || NEW.field, NEW.generation), generations)")
    KEEP_GENERATIONS("gone_credential", "DELETE", "OLD",
                     "iif(json_valid(generations), "
                     "json_remove(generations, '$.' || OLD.field), generations)");

#define ADOPT_GENERATIONS(table)                                     \
  "UPDATE " table                                                    \
  " SET generations = (SELECT json_group_object(field, generation) " \
  "FROM credentials WHERE owner = " table ".id);"

constexpr auto kAdoption =
    ADOPT_GENERATIONS("connections")
    ADOPT_GENERATIONS("providers")
    "UPDATE connections SET mac = " CONNECTION_MAC("connections") ";"
    "UPDATE providers SET profile_mac = " PROFILE_MAC("providers") ";"
    "UPDATE providers SET mac = " PROVIDER_MAC("providers") ";"
    "UPDATE flows SET mac = " FLOW_MAC("flows") ";"
    "UPDATE api_keys SET mac = " API_KEY_MAC("api_keys") ";";

}  // namespace

void use_row_key(Database& database, const Secret& key) {
  // Of use to our own statements alone: what the file itself brings (views, triggers, defaults) may
  // not call it.
  constexpr int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
  const int result =
      sqlite3_create_function_v2(database.handle(), "row_mac", -1, flags, const_cast<Secret*>(&key),
                                 row_mac, nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) throw Failure(result, sqlite3_errmsg(database.handle()));
}

void keep_macs(Database& database) {
  database.execute(kTriggers);
}

void adopt_rows(Database& database, const VaultHeader& header) {
  database.execute(kAdoption);
  database.query("UPDATE meta SET value = CAST(?1 AS BLOB) WHERE key = 'wrapped_key'")
      .bind(header.wrapped_key)
      .run();
}

}  // namespace nexus::sqlite
