// Fills a data directory with connections whose tokens are good for a day. usage: DIR COUNT
// Prints the id of the one in the middle.
#include <sodium.h>
#include <sys/stat.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "common/id.h"
#include "common/json.h"
#include "daemon/crypto/encoding.h"
#include "daemon/service/provider.h"
#include "daemon/service/sealed_fields.h"
#include "daemon/store/sqlite/database.h"
#include "daemon/store/store.h"
#include "daemon/vault/key_source.h"

using namespace nexus;

int main(int argc, char** argv) {
  if (argc != 3 || sodium_init() < 0) return 2;
  const std::string directory = argv[1];
  const auto count = std::strtol(argv[2], nullptr, 10);
  mkdir(directory.c_str(), 0700);
  umask(077);
  auto store = open_sqlite_store(directory);
  auto root = load_root_key(directory, false);
  if (!store || !root) return 1;
  VaultHeader header;
  const auto vault = Vault::create(root->key, header);
  if (!(*store)->put_vault_header(header)) return 1;
  Provider provider;
  provider.id = new_uuid();
  provider.name = "bench";
  const auto now = system_now();
  const ProviderRow row{provider.id, provider.name, to_text(to_json(provider)), now, now};
  if (!(*store)->change_providers({{row, {}, ""}}, {}, now)) return 1;

  // One transaction: the store's own methods sync each connection to the disk.
  sqlite::Database database(directory + "/nexus.db", sqlite::Database::Mode::read_write);
  sqlite::Transaction transaction(database);
  std::string middle;
  for (long i = 0; i < count; ++i) {
    const auto id = new_connection_id();
    if (i == count / 2) middle = id;
    database
        .query(
            "INSERT INTO connections (id, workspace, provider_id, status, requested_scopes, "
            "scopes, token_type, created_at, updated_at, obtained_at, expires_at) "
            "VALUES (?1, 'default', ?2, 'active', 'openid email', 'openid email', 'Bearer', "
            "?3, ?3, ?3, ?4)")
        .bind(id, provider.id, now, now + 86400)
        .run();
    const SealedFields sealer(vault, kConnectionKind, id);
    const auto field = sealer.seal("access_token", random_token(150));
    database
        .query(
            "INSERT INTO credentials (owner, field, generation, sealed) "
            "VALUES (?1, ?2, ?3, CAST(?4 AS BLOB))")
        .bind(field.owner, field.field, field.generation, field.sealed)
        .run();
  }
  transaction.commit();
  std::printf("%s\n", middle.c_str());
}
