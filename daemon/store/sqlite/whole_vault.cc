// What concerns the vault as a whole: its header, its keys, and whether all is as it was written.
#include "daemon/store/sqlite/rows.h"
#include "daemon/store/sqlite/sqlite_store.h"
#include "daemon/store/sqlite/whole_copy.h"
#include "daemon/vault/sealed_fields.h"

namespace nexus::sqlite {
namespace {

constexpr std::int64_t kValuesAtOnce = 500;

#define KNOWN_FIELDS                                                                       \
  "'access_token', 'refresh_token', 'id_token', 'nonce', 'code_verifier', 'device_code', " \
  "'credentials', 'client_secret'"

struct StoredValue {
  std::string owner;
  std::string field;
  std::int64_t generation = 0;
  std::string sealed;
};

StoredValue stored_value(const Query& q) {
  return {q.text(0), q.text(1), q.number(2), q.text(3)};
}

std::vector<StoredValue> values_after(Database& db, const std::string& owner,
                                      const std::string& field, std::int64_t limit) {
  auto query = db.query(
      "SELECT owner, field, generation, sealed FROM credentials "
      "WHERE (owner, field) > (?1, ?2) AND typeof(owner) = 'text' AND field IN (" KNOWN_FIELDS
      ") ORDER BY owner, field LIMIT ?3");
  return all(query.bind(owner, field, limit), stored_value);
}

void put_code_anew(Database& db, const std::string& owner) {
  db.query("UPDATE connections SET mac = " CONNECTION_MAC(
               "connections") " WHERE id = ?1 AND " CONNECTION_FITS("connections"))
      .bind(owner)
      .run();
}

#define PUT_CODES_ANEW(table, row)                                               \
  "UPDATE " table " SET mac = " row##_MAC(table) " WHERE mac IS NOT " row##_MAC( \
      table) " AND " row##_FITS(table) ";"

/// A provider's code is made of its profile's, so both at once.
constexpr auto kCodesAnew =
    PUT_CODES_ANEW("connections", CONNECTION)
    PUT_CODES_ANEW("flows", FLOW)
    PUT_CODES_ANEW("api_keys", API_KEY)
    "UPDATE providers SET profile_mac = " PROFILE_MAC("providers") ", mac = " PROVIDER_MAC_WITH(
        "providers", PROFILE_MAC("providers")) " WHERE " PROFILE_FITS("providers") " AND "
    PROVIDER_FITS("providers") ";";

/// Each owner's list of generations beside the values that are there.
#define MISFITS(table, what)                                                               \
  "SELECT j.key || ' of " what                                                             \
  " ' || o.id || ': ' || iif(c.owner IS NULL, 'missing', "                                 \
  "'not the latest one') FROM " table                                                      \
  " o, json_each(iif(json_valid(o.generations), "                                          \
  "o.generations, '{}')) j LEFT JOIN credentials c ON c.owner = o.id AND c.field = j.key " \
  "WHERE c.owner IS NULL OR c.generation IS NOT j.value"

#define NOT_WRITTEN " || ': not what was written there'"

constexpr const char* kAltered[] = {
    "SELECT 'connection ' || id" NOT_WRITTEN
    " FROM connections WHERE NOT " CONNECTION_FITS("connections"),
    "SELECT 'provider ' || name" NOT_WRITTEN
    " FROM providers WHERE NOT (" PROFILE_FITS("providers") " AND " PROVIDER_FITS("providers") ")",
    "SELECT 'the consent that is awaited for ' || connection_id" NOT_WRITTEN
    " FROM flows WHERE NOT " FLOW_FITS("flows"),
    "SELECT 'API key ' || name" NOT_WRITTEN " FROM api_keys WHERE NOT " API_KEY_FITS("api_keys"),
    MISFITS("connections", "connection"),
    MISFITS("providers", "provider"),
    "SELECT field || ' of ' || owner || ': its owner is gone' FROM credentials WHERE owner NOT IN "
    "(SELECT id FROM connections UNION ALL SELECT id FROM providers)",
    "SELECT field || ' of ' || owner || ': of no name that is known' FROM credentials "
    "WHERE field NOT IN (" KNOWN_FIELDS ") OR typeof(owner) <> 'text'"};

}  // namespace

Result<std::optional<VaultHeader>> SqliteStore::vault_header() {
  return read("vault", "vault_header", [](Database& db) { return header_in(db); });
}

Result<void> SqliteStore::put_vault_header(const VaultHeader& header) {
  return write("vault", "put_vault_header", [&](Database& db) {
    db.query("INSERT INTO meta (key, value) VALUES ('vault_id', CAST(?1 AS BLOB))")
        .bind(header.vault_id)
        .run();
    put_wrapped_key(db, header);
  });
}

Result<void> SqliteStore::rewrap_vault_key(const VaultHeader& header) {
  return write("vault", "rewrap_vault_key", [&](Database& db) { put_wrapped_key(db, header); });
}

Result<void> SqliteStore::authenticate_rows(const Vault& vault,
                                            const std::optional<VaultHeader>& adopted) {
  vault_ = &vault;
  row_keys_ = [&vault] { return vault.row_keys(); };
  readers_.prepare_with([this](Database& db) { use_row_keys(db, row_keys_); });
  return write("vault", "authenticate_rows", [&](Database& db) {
    use_row_keys(db, row_keys_);
    use_vault(db, vault);
    if (adopted) adopt_rows(db, *adopted);
    keep_macs(db);
  });
}

Result<std::string> SqliteStore::keep_tally(const std::string& head_path, bool adopted) {
  return write("vault", "keep_tally", [&](Database& db) {
    tally_.emplace(vault_->tally_key(), db, head_path);
    tally_->begin();
    return tally_->open(adopted);
  });
}

Result<void> SqliteStore::accept_tally() {
  return write("vault", "accept_tally", [&](Database&) { tally_->accept(); });
}

Result<void> SqliteStore::copy_into(const std::string& directory) {
  return read("vault", "copy_into", [&](Database& db) { copy_whole(db, directory + "/nexus.db"); });
}

Result<void> SqliteStore::mark_restored(UnixTime made_at) {
  return write("vault", "mark_restored", [&](Database& db) { put_restored(db, made_at); });
}

Result<Store::Rotated> SqliteStore::rotate_some(const Rotated& before) {
  return write("vault", "rotate_some", [&](Database& db) {
    auto rotated = before;
    const auto values = values_after(db, before.owner, before.field, kValuesAtOnce);
    for (const auto& value : values) {
      if (value.owner != rotated.owner) put_code_anew(db, value.owner);
      rotated.owner = value.owner;
      rotated.field = value.field;
      ++rotated.fields;
      if (vault_->is_sealed_now(value.sealed)) continue;
      const auto anew = vault_->seal_anew(
          {kind_of_owner(value.owner), value.owner, value.field, value.generation}, value.sealed);
      if (!vault_->is_sealed_now(anew)) {
        ++rotated.left;
        continue;
      }
      db.query("UPDATE credentials SET sealed = CAST(?3 AS BLOB) WHERE owner = ?1 AND field = ?2")
          .bind(value.owner, value.field, anew)
          .run();
    }
    rotated.is_all = static_cast<std::int64_t>(values.size()) < kValuesAtOnce;
    return rotated;
  });
}

Result<void> SqliteStore::end_rotation(const VaultHeader& header) {
  return write("vault", "end_rotation", [&](Database& db) {
    db.execute(kCodesAnew);
    put_wrapped_key(db, header);
  });
}

Result<std::vector<SealedField>> SqliteStore::sealed_fields(const SealedField& after,
                                                            std::int64_t limit) {
  return read("vault", "sealed_fields", [&](Database& db) {
    const auto field = after.owner.empty() ? "" : word(after.field);
    std::vector<SealedField> fields;
    for (auto& value : values_after(db, after.owner, field, limit))
      fields.push_back({value.owner, *from_word<SecretField>(value.field), value.generation,
                        std::move(value.sealed)});
    return fields;
  });
}

Result<std::vector<std::string>> SqliteStore::altered_rows() {
  return read("vault", "altered_rows", [&](Database& db) {
    std::vector<std::string> found;
    for (const char* statement : kAltered) {
      auto query = db.query(statement);
      while (query.next()) found.push_back(query.text(0));
    }
    if (tally_ && !tally_->fits(db)) found.push_back("connections, providers or API keys: missing");
    return found;
  });
}

}  // namespace nexus::sqlite
