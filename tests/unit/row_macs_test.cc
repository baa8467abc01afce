// What somebody else writes into the vault's file is noticed: whoever has the file, but no key,
// redirects no token, widens no key and brings back no older secret.
#include <algorithm>

#include "daemon/store/sqlite/database.h"
#include "daemon/store/sqlite/row_macs.h"
#include "daemon/store/store.h"
#include "tests/support/catch.h"
#include "tests/support/store_rows.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/test_vault.h"

using namespace nexus;
using namespace nexus::test;

namespace {

/// A store that has one of everything, and somebody with SQL beside it.
class Tampered {
 public:
  Tampered() {
    open();
    put_provider(*store_);
    put_provider(*store_, "p-other", "other");
    make_active(*store_, connection_row("conn_a", "mine"), kNow + 3000);
    make_active(*store_, connection_row("conn_b", "theirs"), kNow + 3000);
    begin(*store_, connection_row("conn_p"));
    good(store_->put_api_key({"k1", "reads", "hash", R"({"use":[]})", kNow, kNow + 5}));
    good(store_->put_api_key({"k2", "other", "hash", R"({"use":[]})", kNow, std::nullopt}));
  }

  Store& store() { return *store_; }

  void run(const std::string& sql) {
    sqlite::Database(directory_.path() + "/nexus.db", sqlite::Database::Mode::read_write)
        .execute(sql);
  }

  /// What a row's code is under that key.
  std::string code_of(const std::string& connection, const Secret& key) {
    const auto keys = sqlite::always(key);
    sqlite::Database database(directory_.path() + "/nexus.db", sqlite::Database::Mode::read_write);
    sqlite::use_row_keys(database, keys);
    auto query = database.query("SELECT hex(" CONNECTION_MAC(
        "connections") ") FROM connections "
                       "WHERE id = ?1");
    return query.bind(connection).next() ? query.text(0) : std::string();
  }

  void reopen(const std::optional<VaultHeader>& adopted = std::nullopt) {
    store_.reset();
    open(adopted);
  }

 private:
  static void good(const Result<void>& result) { REQUIRE(result); }
  void open(const std::optional<VaultHeader>& adopted = std::nullopt) {
    auto opened = open_sqlite_store(directory_.path());
    REQUIRE(opened);
    store_ = *std::move(opened);
    good(store_->authenticate_rows(test::test_vault(), adopted));
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Store> store_;
};

bool is_altered(const ConnectionRow& row) {
  return row.status == kFailed && row.error_code == "record_damaged";
}

/// Every way to read it refuses it, and another one is as it was.
void check_refused(Store& store, const std::string& id) {
  CHECK(is_altered(stored_row(store, id)));
  CHECK(is_altered((*store.token(id))->connection));
  const auto record = *store.connection_record(id);
  CHECK(is_altered(record->connection));
  CHECK(record->pinned.empty());
  CHECK(stored_row(store, "conn_b").status == kActive);
}

}  // namespace

TEST_CASE("a connection that somebody else has changed is out of service", "[store][macs]") {
  const auto* change = GENERATE(
      "pinned = '{\"token\":\"https://evil.example/\"}'", "workspace = 'other'",
      "provider_id = 'p-other'", "alias = 'yours'", "expires_at = expires_at + 100000",
      "status = CAST(status AS BLOB)", "metadata = '{\"a\":1},\"alias\":\"yours\"'",
      "revocation = '{\"grant_kept\":true}'", "subject = 'another'",
      "issuer = 'https://evil.example'", "auth_type = 'api_key'", "status = 'attention_required'",
      "token_fields = '{\"instance_url\":\"https://evil.example\"}'", "token_fields = x''",
      "access = '{\"uids\":[\"1\"]}'", "access = x''", "scopes = 'all'", "token_type = 'DPoP'",
      "sequence = sequence + 1000", "generations = '{}'", "mac = NULL", "mac = x'00'",
      "mac = (SELECT mac FROM connections WHERE id = 'conn_b')");
  Tampered vault;
  vault.run("UPDATE connections SET " + std::string(change) + " WHERE id = 'conn_a'");
  INFO(change);
  check_refused(vault.store(), "conn_a");

  // It does not become right by what nexusd writes to it afterwards, or by a restart.
  REQUIRE(vault.store().set_alias("conn_a", "renamed", kNow));
  REQUIRE(vault.store().save_refresh("conn_a", {"Bearer", "read", kNow, kNow + 9},
                                     {sealed("conn_a", "access_token", "new", 2)}, kNow, kNow,
                                     kNow));
  CHECK(is_altered(stored_row(vault.store(), "conn_a")));
  vault.reopen();
  CHECK(is_altered(stored_row(vault.store(), "conn_a")));
  REQUIRE(vault.store().revoke("conn_a", "{}", std::nullopt, kNow));
}

TEST_CASE("what nexusd itself writes fits, and what decides nothing may change", "[store][macs]") {
  Tampered vault;
  auto& store = vault.store();
  REQUIRE(store.set_alias("conn_a", "renamed", kNow));
  REQUIRE(*store.begin_refresh("conn_a", 1));
  REQUIRE(*store.save_refresh("conn_a", {"Bearer", "read", kNow, kNow + 9},
                              {sealed("conn_a", "access_token", "new", 2)}, kNow, kNow, kNow));
  CHECK((*store.token("conn_a"))->connection.status == kActive);
  CHECK((*store.connection_record("conn_a"))->pinned == kPinned);
  REQUIRE(*store.set_status("conn_a", ConnectionStatus::attention_required, "x", "y", kNow));
  CHECK(stored_row(store, "conn_a").status == ConnectionStatus::attention_required);
  vault.run("UPDATE connections SET refresh_at = 1, last_used_at = 7, error_message = 'z'");
  CHECK(stored_row(store, "conn_b").status == kActive);
  vault.reopen();
  CHECK(stored_row(vault.store(), "conn_b").status == kActive);
}

TEST_CASE("what a token's answer told is covered, and cannot be taken away", "[store][macs]") {
  const auto* change =
      GENERATE("''", "'{\"instance_url\":\"https://evil.example\"}'", "NULL || ''", "x'7b7d'");
  Tampered vault;
  const std::string told = R"({"instance_url":"https://acme.example"})";
  REQUIRE(*vault.store().save_refresh("conn_a", {"Bearer", "read", kNow, kNow + 9, told},
                                      {sealed("conn_a", "access_token", "new", 2)}, kNow, kNow,
                                      kNow));
  CHECK((*vault.store().token("conn_a"))->connection.token.token_fields == told);
  vault.reopen();
  CHECK(stored_row(vault.store(), "conn_a").token.token_fields == told);
  CHECK(stored_row(vault.store(), "conn_a").status == kActive);
  vault.run("UPDATE connections SET token_fields = coalesce(" + std::string(change) +
            ", '{}') WHERE id = 'conn_a'");
  check_refused(vault.store(), "conn_a");
  CHECK((*vault.store().token("conn_a"))->connection.token.token_fields.empty());
}

TEST_CASE("who may use a connection is covered, and cannot be taken away or moved",
          "[store][macs]") {
  const auto* change = GENERATE("access = ''", "access = '{\"uids\":[\"2\"]}'", "access = 'no'",
                                "token_fields = access, access = ''");
  Tampered vault;
  api::UseRules rules;
  rules.uids = {1};
  REQUIRE(vault.store().set_use_rules("conn_a", &rules, kNow));
  CHECK((*vault.store().token("conn_a"))->connection.use_rules->uids == rules.uids);
  vault.reopen();
  CHECK(stored_row(vault.store(), "conn_a").status == kActive);
  CHECK(stored_row(vault.store(), "conn_a").use_rules);
  vault.run("UPDATE connections SET " + std::string(change) + " WHERE id = 'conn_a'");
  check_refused(vault.store(), "conn_a");
}

TEST_CASE("codes that an earlier nexusd made fit still", "[store][macs]") {
  Tampered vault;
  const Secret key(std::string(32, 'r'));
  CHECK(vault.code_of("conn_a", key) == "1B7B52FE3282E3C9F0F8C94B87F4AD65");
  CHECK(vault.code_of("conn_p", key) == "3FB4F50DC81B285AC9FA487EA668A768");
}

TEST_CASE("an older secret that is put back is not used", "[store][macs]") {
  const auto* field = GENERATE("refresh_token", "access_token");
  Tampered vault;
  vault.run("CREATE TABLE kept AS SELECT * FROM credentials");
  REQUIRE(*vault.store().save_refresh("conn_a", {"Bearer", "read", kNow, kNow + 9},
                                      {sealed("conn_a", field, "new", 2)}, kNow, kNow, kNow));
  REQUIRE((*vault.store().connection_record("conn_a"))->connection.status == kActive);
  vault.run("INSERT OR REPLACE INTO credentials SELECT * FROM kept WHERE owner = 'conn_a'");
  const auto record = *vault.store().connection_record("conn_a");
  CHECK(is_altered(record->connection));
  CHECK(record->pinned.empty());
  // The next value of another field does not make it right.
  REQUIRE(vault.store().save_refresh("conn_a", {"Bearer", "read", kNow, kNow + 9},
                                     {sealed("conn_a", "id_token", "new", 1)}, kNow, kNow, kNow));
  CHECK(is_altered((*vault.store().connection_record("conn_a"))->connection));
}

TEST_CASE("a secret that is taken away is missed", "[store][macs]") {
  const auto* field = GENERATE("refresh_token", "access_token");
  Tampered vault;
  vault.run("DELETE FROM credentials WHERE owner = 'conn_a' AND field = '" + std::string(field) +
            "'");
  CHECK(is_altered((*vault.store().connection_record("conn_a"))->connection));
  CHECK(is_altered((*vault.store().token("conn_a"))->connection) ==
        (field == std::string_view("access_token")));
}

TEST_CASE("a provider's secret that is put back or taken away is not used", "[store][macs]") {
  const auto* change = GENERATE("UPDATE credentials SET generation = 1 WHERE owner = 'p-acme'",
                                "DELETE FROM credentials WHERE owner = 'p-acme'");
  Tampered vault;
  auto write = provider_write("p-acme", "acme");
  write.fields = {sealed("p-acme", "client_secret", "second", 2)};
  REQUIRE(vault.store().change_providers({write}, {}, kNow));
  CHECK_FALSE((*vault.store().provider_record("p-acme"))->provider.profile.empty());
  vault.run(change);
  CHECK((*vault.store().provider_record("p-acme"))->provider.profile.empty());
}

TEST_CASE("what the file's own schema does is not done, so it is not signed", "[store][macs]") {
  const auto* change = GENERATE(
      "CREATE TRIGGER evil AFTER UPDATE OF refresh_sent ON connections BEGIN "
      "UPDATE connections SET pinned = '{}' WHERE id = NEW.id; END",
      "CREATE TRIGGER evil BEFORE INSERT ON credentials BEGIN SELECT RAISE(IGNORE); END",
      "CREATE TRIGGER evil BEFORE UPDATE OF status ON connections BEGIN SELECT RAISE(IGNORE); END");
  Tampered vault;
  vault.run(change);
  REQUIRE(*vault.store().begin_refresh("conn_a", 1));
  REQUIRE(*vault.store().save_refresh("conn_a", {"Bearer", "read", kNow, kNow + 9},
                                      {sealed("conn_a", "refresh_token", "new", 2)}, kNow, kNow,
                                      kNow));
  const auto record = *vault.store().connection_record("conn_a");
  CHECK(record->connection.status == kActive);
  CHECK(record->pinned == kPinned);
  CHECK(std::any_of(record->fields.begin(), record->fields.end(),
                    [](const SealedField& field) { return field.sealed == "new"; }));
  REQUIRE(vault.store().revoke("conn_a", "{}", std::nullopt, kNow));
  CHECK(stored_row(vault.store(), "conn_a").status == ConnectionStatus::revoked);
}

TEST_CASE("a view in the place of a table is not read", "[store][macs]") {
  Tampered vault;
  vault.run(
      "PRAGMA legacy_alter_table=ON; ALTER TABLE connections RENAME TO connections_real; "
      "CREATE VIEW connections AS SELECT * FROM connections_real");
  CHECK_FALSE(vault.store().connection("conn_a"));
}

TEST_CASE("an alias that was altered is not handed on to what replaces its connection",
          "[store][macs]") {
  Tampered vault;
  auto row = connection_row("conn_r");
  row.replaces = "conn_a";
  begin(vault.store(), row);
  vault.run("UPDATE connections SET alias = 'yours' WHERE id = 'conn_a'");
  row.token = {"Bearer", "read", kNow, kNow + 9};
  REQUIRE(*vault.store().activate(row, kPinned, {sealed("conn_r", "access_token", "at")}));
  CHECK(stored_row(vault.store(), "conn_r").alias.empty());
}

TEST_CASE("a field with a name that is none keeps nothing from being written", "[store][macs]") {
  Tampered vault;
  vault.run(R"(INSERT INTO credentials VALUES ('conn_a', '"', 1, x'00'))");
  REQUIRE(vault.store().revoke("conn_a", "{}", std::nullopt, kNow));
  CHECK(stored_row(vault.store(), "conn_a").status == ConnectionStatus::revoked);
}

TEST_CASE("a revocation that nobody asked for takes no secret", "[store][macs]") {
  Tampered vault;
  vault.run("INSERT INTO revocations VALUES ('conn_a', 1, 0, 99999999999)");
  REQUIRE(vault.store().finish_revocation("conn_a", "{}"));
  CHECK((*vault.store().connection_record("conn_a"))->fields.size() == 2);
  CHECK(stored_row(vault.store(), "conn_a").status == kActive);
}

TEST_CASE("a provider that somebody else has changed has no settings until it is written anew",
          "[store][macs]") {
  const auto* change =
      GENERATE("profile = '{\"name\":\"acme\",\"token_url\":\"https://evil.example/\"}'",
               "name = 'renamed'", "generations = '{\"client_secret\":9}'", "mac = NULL",
               "profile_mac = (SELECT profile_mac FROM providers WHERE id = 'p-other')");
  Tampered vault;
  vault.run("UPDATE providers SET " + std::string(change) + " WHERE id = 'p-acme'");
  INFO(change);
  CHECK((*vault.store().provider("p-acme"))->profile.empty());
  CHECK((*vault.store().provider_record("p-acme"))->provider.profile.empty());
  CHECK_FALSE((*vault.store().provider("p-other"))->profile.empty());
  put_provider(vault.store());
  CHECK_FALSE((*vault.store().provider("p-acme"))->profile.empty());
  CHECK(stored_row(vault.store(), "conn_a").status == kActive);
}

TEST_CASE("a provider's name that somebody else has changed opens no connection by it",
          "[store][macs]") {
  Tampered vault;
  vault.run("UPDATE providers SET name = 'allowed' WHERE id = 'p-acme'");
  CHECK(is_altered((*vault.store().token("conn_a"))->connection));
}

TEST_CASE("a flow or an API key that somebody else has changed opens nothing", "[store][macs]") {
  Tampered vault;
  CHECK(vault.store().flow("state of conn_p"));
  vault.run("UPDATE flows SET pinned = '{}'");
  const auto flow = vault.store().flow_of("conn_p");
  REQUIRE_FALSE(flow);
  CHECK(flow.error().message.find("conn_p was altered") != std::string::npos);
  CHECK_FALSE(vault.store().flow("state of conn_p"));

  const auto* change = GENERATE(R"(access = '{"admin":true}')", "expires_at = NULL",
                                "name = 'renamed'", "hash = 'another'");
  vault.run("UPDATE api_keys SET " + std::string(change) + " WHERE id = 'k1'");
  REQUIRE(vault.store().save_key_use("k1", kNow));
  const auto keys = *vault.store().api_keys({});
  for (const auto& key : keys) CHECK(key.access.empty() == (key.id == "k1"));
}

TEST_CASE("what an older nexusd has left is taken as it is, once", "[store][macs]") {
  Tampered vault;
  vault.run(
      "UPDATE connections SET mac = NULL, generations = '{}'; "
      "UPDATE providers SET mac = NULL, profile_mac = NULL, generations = '{}'; "
      "UPDATE flows SET mac = NULL; UPDATE api_keys SET mac = NULL;");
  vault.reopen(VaultHeader{"id", "key"});
  CHECK((*vault.store().token("conn_a"))->connection.status == kActive);
  CHECK((*vault.store().connection_record("conn_a"))->pinned == kPinned);
  CHECK((*vault.store().flow_of("conn_p"))->pinned == kPinned);
  CHECK_FALSE((*vault.store().provider("p-acme"))->profile.empty());
  const auto keys = *vault.store().api_keys({});
  CHECK(keys.size() == 2);
  for (const auto& key : keys) CHECK_FALSE(key.access.empty());
}

TEST_CASE("a record that cannot be understood says what of it", "[store][macs]") {
  Tampered vault;
  vault.run("UPDATE connections SET status = 'odd' WHERE id = 'conn_a'");
  vault.reopen(VaultHeader{"id", "key"});
  CHECK(stored_row(vault.store(), "conn_a").error_message ==
        "its record is damaged: the status is unknown: odd");
  CHECK(stored_row(vault.store(), "conn_b").status == kActive);
}

TEST_CASE("a row that is no longer to be understood can be removed, or written anew",
          "[store][macs]") {
  Tampered vault;
  vault.run(
      "UPDATE connections SET generations = '{'; UPDATE providers SET generations = '{' "
      "WHERE id = 'p-acme'");
  REQUIRE(vault.store().revoke("conn_a", "{}", std::nullopt, kNow));
  CHECK(vault.store().expire_flows(kNow + 1000, kNow + 1000, 10)->size() == 1);
  put_provider(vault.store());
  CHECK_FALSE((*vault.store().provider("p-acme"))->profile.empty());
}
