// Fills a data directory with connections whose tokens are good for a day. usage: DIR COUNT
// Prints the id of the one in the middle. With two more words, TOKEN-ENDPOINT SECONDS, all but that
// one have a refresh token and are to be refreshed, evenly spread, within so many seconds. With
// `pending` AT, all but that one wait for consent until then; with `api` URL their provider has its
// API there.
#include <sodium.h>
#include <sys/stat.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "common/id.h"
#include "common/json.h"
#include "daemon/crypto/encoding.h"
#include "daemon/provider/provider.h"
#include "daemon/store/sqlite/database.h"
#include "daemon/store/store.h"
#include "daemon/vault/key_source.h"
#include "daemon/vault/sealed_fields.h"

using namespace nexus;

namespace {

void put(sqlite::Database& database, const SealedField& field) {
  database
      .query(
          "INSERT INTO credentials (owner, field, generation, sealed) "
          "VALUES (?1, ?2, ?3, CAST(?4 AS BLOB))")
      .bind(field.owner, word(field.field), field.generation, field.sealed)
      .run();
}

}  // namespace

int main(int argc, char** argv) {
  if ((argc != 3 && argc != 5) || sodium_init() < 0) return 2;
  const std::string directory = argv[1];
  const auto count = std::strtol(argv[2], nullptr, 10);
  const std::string_view what = argc == 5 ? argv[3] : "";
  const bool wait = what == "pending";
  const std::string api = what == "api" ? argv[4] : "";
  const std::string token_endpoint(wait || what == "api" ? "" : what);
  const auto span = token_endpoint.empty() ? 0 : std::strtol(argv[4], nullptr, 10);
  const auto until = wait ? std::strtoll(argv[4], nullptr, 10) : 0;
  mkdir(directory.c_str(), 0700);
  umask(077);
  auto store = open_sqlite_store(directory);
  auto root = load_root_key({.data_dir = directory}, {});
  if (!store || !root) return 1;
  VaultHeader header;
  const auto vault = Vault::create(root->key, header);
  if (!(*store)->put_vault_header(header)) return 1;
  Provider provider;
  provider.id = new_uuid();
  provider.name = "bench";
  provider.client_id = "bench";
  provider.allow_insecure_http = true;
  provider.api_base_url = api;
  ProviderEndpoints endpoints;
  endpoints.authorization = endpoints.token = token_endpoint;
  endpoints.client_id = "bench";
  endpoints.addresses.loopback = true;
  const auto pinned = to_text(endpoints);
  const auto profile = to_text(to_json(provider));
  const auto now = system_now();

  // One transaction: the store's own methods sync each connection to the disk.
  sqlite::Database database(directory + "/nexus.db", sqlite::Database::Mode::read_write);
  sqlite::Transaction transaction(database);
  database
      .query(
          "INSERT INTO providers (id, name, profile, created_at, updated_at) "
          "VALUES (?1, ?2, ?3, ?4, ?4)")
      .bind(provider.id, provider.name, profile, now)
      .run();
  std::string middle;
  const auto refresh_at = [&](long i) {
    return span > 0 && i != count / 2 ? std::optional<UnixTime>(now + 5 + i * span / count)
                                      : std::nullopt;
  };
  // A fetch would have to refresh twelve seconds later, and a token be over after sixty.
  const auto expires = [&](long i) {
    const auto at = refresh_at(i);
    return at ? *at + 60 : now + 86400;
  };
  for (long i = 0; i < count; ++i) {
    const auto id = new_connection_id();
    if (i == count / 2) middle = id;
    const SealedFields sealer(vault, kConnectionKind, id);
    if (wait && i != count / 2) {
      database
          .query(
              "INSERT INTO connections (id, workspace, provider_id, status, requested_scopes, "
              "created_at, updated_at, pending_until) "
              "VALUES (?1, 'default', ?2, 'pending', 'email', ?3, ?3, ?4)")
          .bind(id, provider.id, now, until)
          .run();
      database
          .query(
              "INSERT INTO flows (connection_id, kind, state_hash, redirect_uri, awaited, issuer, "
              "pinned, expires_at) VALUES (?1, 'code', ?1, 'http://127.0.0.1/', 0, '', ?2, ?3)")
          .bind(id, pinned, until)
          .run();
      put(database, sealer.seal(SecretField::code_verifier, random_token(32)));
      continue;
    }
    database
        .query(
            "INSERT INTO connections (id, workspace, provider_id, status, requested_scopes, "
            "scopes, token_type, created_at, updated_at, obtained_at, expires_at, pinned, "
            "refresh_at, last_used_at) VALUES (?1, 'default', ?2, 'active', 'email', 'email', "
            "'Bearer', ?3, ?3, ?3, ?4, ?5, ?6, ?3)")
        .bind(id, provider.id, now, expires(i), pinned, refresh_at(i))
        .run();
    put(database, sealer.seal(SecretField::access_token, random_token(150)));
    if (refresh_at(i)) put(database, sealer.seal(SecretField::refresh_token, random_token(60)));
  }
  transaction.commit();
  if (!(*store)->authenticate_rows(vault, header)) return 1;
  std::printf("%s\n", middle.c_str());
}
