#include "daemon/store/sqlite/row_macs.h"

#include <sodium.h>

#include <array>
#include <cstring>
#include <string>
#include <string_view>

#include "common/bytes.h"
#include "daemon/vault/sealed_fields.h"

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

using Mac = std::array<unsigned char, kMac>;

Mac mac_of(const Secret& key, int count, sqlite3_value** values) {
  const auto bytes = key.expose();
  crypto_generichash_state state;
  crypto_generichash_init(&state, bytes_of(bytes), bytes.size(), kMac);
  for (int i = 0; i < count; ++i) add(state, values[i]);
  Mac mac{};
  crypto_generichash_final(&state, mac.data(), mac.size());
  return mac;
}

std::shared_ptr<const Vault::RowKeys> keys_in(sqlite3_context* context) {
  return (*static_cast<const RowKeySource*>(sqlite3_user_data(context)))();
}

void row_mac(sqlite3_context* context, int count, sqlite3_value** values) {
  without_memory_is_told(context, [&] {
    const auto mac = mac_of(keys_in(context)->present, count, values);
    sqlite3_result_blob(context, mac.data(), static_cast<int>(mac.size()), SQLITE_TRANSIENT);
  });
}

void row_fits(sqlite3_context* context, int count, sqlite3_value** values) {
  const auto keys = keys_in(context);
  const auto is = [&](const Secret& key) {
    const auto mac = mac_of(key, count - 1, values + 1);
    return sqlite3_value_type(values[0]) == SQLITE_BLOB &&
           sqlite3_value_bytes(values[0]) == static_cast<int>(kMac) &&
           std::memcmp(sqlite3_value_blob(values[0]), mac.data(), kMac) == 0;
  };
  sqlite3_result_int(context, is(keys->present) || (!keys->earlier.empty() && is(keys->earlier)));
}

std::string_view text_of(sqlite3_value* value) {
  const auto* bytes = static_cast<const char*>(sqlite3_value_blob(value));
  return {bytes ? bytes : "", static_cast<std::size_t>(sqlite3_value_bytes(value))};
}

void seal_anew(sqlite3_context* context, int, sqlite3_value** values) {
  const auto& vault = *static_cast<const Vault*>(sqlite3_user_data(context));
  const auto owner = text_of(values[0]);
  without_memory_is_told(context, [&] {
    const auto sealed = vault.seal_anew(
        {kind_of_owner(owner), owner, text_of(values[1]), sqlite3_value_int64(values[2])},
        text_of(values[3]));
    sqlite3_result_blob(context, sealed.data(), static_cast<int>(sealed.size()), SQLITE_TRANSIENT);
  });
}

void add_function(Database& database, const char* name, int arguments, const void* data,
                  void (*function)(sqlite3_context*, int, sqlite3_value**)) {
  // Of use to our own statements alone: what the file itself brings (views, triggers, defaults) may
  // not call it. During a rotation it does not always say the same.
  constexpr int flags = SQLITE_UTF8 | SQLITE_DIRECTONLY;
  const int result =
      sqlite3_create_function_v2(database.handle(), name, arguments, flags, const_cast<void*>(data),
                                 function, nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) throw Failure(result, sqlite3_errmsg(database.handle()));
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
    "sequence, generations, token_fields, access "
    "ON main.connections WHEN " CONNECTION_FITS("OLD") " BEGIN "
    "UPDATE connections SET mac = " CONNECTION_MAC("NEW") " WHERE id = NEW.id; END;"
    "CREATE TEMP TRIGGER new_provider AFTER INSERT ON main.providers BEGIN "
    "UPDATE providers SET " NEW_PROVIDER_MACS " WHERE id = NEW.id; END;"
    "CREATE TEMP TRIGGER changed_provider AFTER UPDATE OF id, name, profile, deleted, generations "
    "ON main.providers WHEN " PROFILE_FITS("OLD") " AND " PROVIDER_FITS("OLD") " BEGIN "
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
    "UPDATE providers SET mac = " PROVIDER_MAC_WITH("providers", "providers.profile_mac") ";"
    "UPDATE flows SET mac = " FLOW_MAC("flows") ";"
    "UPDATE api_keys SET mac = " API_KEY_MAC("api_keys") ";";

}  // namespace

RowKeySource always(const Secret& key) {
  auto keys = std::make_shared<const Vault::RowKeys>(Vault::RowKeys{key.copy(), Secret()});
  return [kept = std::move(keys)] { return kept; };
}

void use_row_keys(Database& database, const RowKeySource& keys) {
  add_function(database, "row_mac", -1, &keys, row_mac);
  add_function(database, "row_fits", -1, &keys, row_fits);
}

void use_vault(Database& database, const Vault& vault) {
  add_function(database, "seal_anew", 4, &vault, seal_anew);
}

void keep_macs(Database& database) {
  database.execute(kTriggers);
}

void adopt_rows(Database& database, const VaultHeader& header) {
  database.execute(kAdoption);
  put_wrapped_key(database, header);
}

void put_wrapped_key(Database& database, const VaultHeader& header) {
  const auto put = [&database](const char* key, std::string_view value) {
    database.query("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, CAST(?2 AS BLOB))")
        .bind(key, value)
        .run();
  };
  put("wrapped_key", header.wrapped_key);
  database.execute("DELETE FROM meta WHERE key IN ('key_source', 'key_derivation')");
  if (header.key_source) put("key_source", word(*header.key_source));
  if (!header.key_derivation.empty()) put("key_derivation", header.key_derivation);
}

}  // namespace nexus::sqlite
