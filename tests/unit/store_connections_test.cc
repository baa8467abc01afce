#include "tests/support/any_store.h"
#include "tests/support/store_rows.h"

using namespace nexus;
using namespace nexus::test;

namespace {

std::vector<std::string> ids(const Result<std::vector<ConnectionRow>>& rows) {
  std::vector<std::string> found;
  for (const auto& row : *rows) found.push_back(row.id);
  return found;
}

using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE("a pending connection becomes active with its identity, token and secrets", "[store]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  auto row = begin(store, connection_row("conn_a", "mine"),
                   {sealed("conn_a", "code_verifier"), sealed("conn_a", "nonce")});
  row.issuer = "https://as.example";
  row.subject = "alice";
  row.account = "alice@example.com";
  row.updated_at = kNow + 5;
  row.token = {"Bearer", "read", kNow + 4, {}};
  row.refresh_at = kNow + 99;
  CHECK(*store.activate(row, kPinned, {sealed("conn_a", "access_token")}));

  const auto active = stored_row(store, "conn_a");
  CHECK(active.status == kActive);
  CHECK(active.alias == "mine");
  CHECK(active.issuer == "https://as.example");
  CHECK(active.subject == "alice");
  CHECK(active.account == "alice@example.com");
  CHECK(active.updated_at == kNow + 5);
  CHECK(active.token.scopes == "read");
  CHECK(active.token.obtained_at == kNow + 4);
  CHECK_FALSE(active.token.expires_at);
  CHECK(active.refresh_at == kNow + 99);
  CHECK((*store.connection_record("conn_a"))->pinned == kPinned);
  // What only the flow needed is gone; the nonce may be wanted by a later id_token.
  CHECK(field_names(store, "conn_a") == Ids{"access_token", "nonce"});
}

TEST_CASE("what is not pending any more does not become active, and nothing changes", "[store]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  make_active(store, connection_row("conn_old", "mine"));
  auto row = connection_row("conn_new");
  row.replaces = "conn_old";
  begin(store, row);
  REQUIRE(store.set_status("conn_new", kFailed, "denied", "consent was denied", kNow));
  const auto activated = store.activate(row, kPinned, {sealed("conn_new", "access_token")});
  REQUIRE(activated);
  CHECK_FALSE(*activated);
  CHECK(status_of(store, "conn_new") == kFailed);
  CHECK(field_names(store, "conn_new").empty());
  CHECK(status_of(store, "conn_old") == kActive);
  CHECK(stored_row(store, "conn_old").alias == "mine");
  CHECK(sealed_text(store, "conn_old", "refresh_token") == "rt of conn_old");
}

TEST_CASE("a connection that replaces another takes its alias, and that one's credentials go",
          "[store]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  make_active(store, connection_row("conn_old", "mine"));
  auto row = connection_row("conn_new");
  row.replaces = "conn_old";
  make_active(store, row);
  CHECK(stored_row(store, "conn_new").alias == "mine");
  CHECK((*store.connection_aliased("default", "mine"))->connection.id == "conn_new");
  const auto old = stored_row(store, "conn_old");
  CHECK(old.status == kRevoked);
  CHECK(old.alias.empty());
  CHECK(field_names(store, "conn_old").empty());
  CHECK(store.revocation_outcome("conn_old")->find("conn_new") != std::string::npos);
}

TEST_CASE("a connection to be replaced that is over already costs the new one nothing", "[store]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  make_active(store, connection_row("conn_old", "mine"));
  auto row = connection_row("conn_new", "fresh");
  row.replaces = "conn_old";
  begin(store, row);
  REQUIRE(store.revoke("conn_old", "{}", {}, kNow));
  CHECK(*store.activate(row, kPinned, {sealed("conn_new", "access_token")}));
  CHECK(stored_row(store, "conn_new").alias == "fresh");
}

TEST_CASE("an alias belongs to one connection of a workspace", "[store]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  make_active(store, connection_row("conn_a", "mine"));
  make_active(store, connection_row("conn_b"));
  auto elsewhere = connection_row("conn_c");
  elsewhere.workspace = "another";
  make_active(store, elsewhere);

  const auto taken = store.set_alias("conn_b", "mine", kNow + 1);
  REQUIRE_FALSE(taken);
  CHECK(taken.error().code == ErrorCode::alias_taken);
  CHECK(stored_row(store, "conn_b").alias.empty());
  CHECK(stored_row(store, "conn_b").updated_at == kNow);
  CHECK(store.set_alias("conn_c", "mine", kNow + 1));
  CHECK(store.set_alias("conn_a", "other", kNow + 1));
  CHECK(store.set_alias("conn_b", "mine", kNow + 1));
  CHECK((*store.connection_aliased("default", "mine"))->connection.id == "conn_b");
  CHECK((*store.connection_aliased("another", "mine"))->connection.id == "conn_c");
  CHECK_FALSE(*store.connection_aliased("default", "nobody's"));
  CHECK_FALSE(*store.connection_aliased("default", ""));
}

TEST_CASE("a provider's connections are told active first, then newest first", "[store]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  put_provider(store, "p-other", "other");
  UnixTime at = kNow;
  for (const char* id : {"conn_1", "conn_2", "conn_3", "conn_4", "conn_5"}) {
    auto row = connection_row(id);
    row.created_at = ++at;
    make_active(store, row);
  }
  REQUIRE(store.set_status("conn_4", kAttention, "attention_required", "why", at));
  REQUIRE(store.revoke("conn_5", "{}", {}, at));
  begin(store, connection_row("conn_pending"));
  auto elsewhere = connection_row("conn_workspace");
  elsewhere.workspace = "another";
  make_active(store, elsewhere);
  auto other = connection_row("conn_other");
  other.provider_id = "p-other";
  make_active(store, other);
  CHECK(ids(store.connections_of("default", "acme")) ==
        Ids{"conn_3", "conn_2", "conn_1", "conn_4", "conn_pending"});
  CHECK(ids(store.connections_of("another", "acme")) == Ids{"conn_workspace"});
  CHECK(store.connections_of("default", "nobody")->empty());
}

TEST_CASE("the newest of a provider's connections is the one made last, whatever the clock said",
          "[store]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  UnixTime at = kNow;
  for (const char* id : {"conn_3", "conn_2", "conn_1"}) {
    auto row = connection_row(id);
    row.created_at = --at;
    make_active(store, row);
  }
  CHECK(ids(store.connections_of("default", "acme")) == Ids{"conn_1", "conn_2", "conn_3"});
}

TEST_CASE("connections are listed newest first, without the revoked ones", "[store]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  UnixTime at = kNow;
  for (const char* id : {"conn_1", "conn_2", "conn_3"}) {
    auto row = connection_row(id);
    row.created_at = ++at;
    make_active(store, row);
  }
  auto pending = connection_row("conn_pending");
  pending.created_at = ++at;
  begin(store, pending);
  auto elsewhere = connection_row("conn_elsewhere");
  elsewhere.workspace = "another";
  make_active(store, elsewhere);
  REQUIRE(store.revoke("conn_2", "{}", {}, at));
  begin(store, connection_row("conn_0"));
  REQUIRE(*store.set_status("conn_0", kFailed, "e", "m", at));
  CHECK(ids(store.connections({.workspace = "default"})) == Ids{"conn_3", "conn_1", "conn_0"});
  CHECK(ids(store.connections({.workspace = "default", .pending = true})) ==
        Ids{"conn_pending", "conn_3", "conn_1", "conn_0"});
  CHECK(ids(store.connections({})) == Ids{"conn_elsewhere", "conn_3", "conn_1", "conn_0"});
  // Page by page, by the id that the last one ended with.
  CHECK(ids(store.connections({.workspace = "default", .limit = 2})) == Ids{"conn_3", "conn_1"});
  CHECK(ids(store.connections({.workspace = "default", .before = "conn_1", .limit = 2})) ==
        Ids{"conn_0"});
  CHECK(ids(store.connections({.before = "conn_3", .limit = 1})) == Ids{"conn_1"});
  CHECK(store.connections({.before = "conn_0"})->empty());
  const auto counts = *store.count_by_status();
  CHECK(counts == std::map<ConnectionStatus, std::int64_t>{
                      {kActive, 3}, {kPending, 1}, {kRevoked, 1}, {kFailed, 1}});
}

TEST_CASE("a token fetch reads the access token and id_token, and no refresh token", "[store]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  const auto row = begin(store, connection_row("conn_a"));
  REQUIRE(*store.activate(
      row, kPinned,
      {sealed("conn_a", "access_token", "at", 3), sealed("conn_a", "refresh_token", "rt"),
       sealed("conn_a", "id_token", "id")}));
  const auto token = *store.token("conn_a");
  REQUIRE(token);
  CHECK(token->connection.id == "conn_a");
  REQUIRE(token->fields.size() == 2);
  CHECK(token->fields[0].field == SecretField::access_token);
  CHECK(token->fields[0].sealed == "at");
  CHECK(token->fields[0].generation == 3);
  CHECK(token->fields[1].field == SecretField::id_token);
  CHECK_FALSE(*store.token("conn_b"));
}

TEST_CASE("a fetch from a static connection reads its credentials", "[store]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  auto row = connection_row("conn_a");
  row.auth_type = AuthType::api_key;
  begin(store, row);
  REQUIRE(*store.activate(row, kPinned, {sealed("conn_a", "credentials", "key")}));
  const auto token = *store.token("conn_a");
  REQUIRE(token);
  REQUIRE(token->fields.size() == 1);
  CHECK(token->fields[0].field == SecretField::credentials);
  CHECK(token->fields[0].sealed == "key");
}

TEST_CASE("a status is recorded with its cause; a failed connection keeps no secret and no alias",
          "[store]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  make_active(store, connection_row("conn_a", "mine"));
  REQUIRE(store.set_status("conn_a", kAttention, "attention_required", "refused", kNow + 3));
  auto row = stored_row(store, "conn_a");
  CHECK(row.status == kAttention);
  CHECK(row.error_code == "attention_required");
  CHECK(row.error_message == "refused");
  CHECK(row.updated_at == kNow + 3);
  CHECK(row.alias == "mine");
  CHECK(field_names(store, "conn_a").size() == 2);

  begin(store, connection_row("conn_b", "other"), {sealed("conn_b", "code_verifier")});
  REQUIRE(store.set_status("conn_b", kFailed, "access_denied", "denied", kNow + 3));
  row = stored_row(store, "conn_b");
  CHECK(row.status == kFailed);
  CHECK(row.alias.empty());
  CHECK(field_names(store, "conn_b").empty());
}

TEST_CASE("what was revoked stays revoked, whatever status comes later", "[store]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  make_active(store, connection_row("conn_a"));
  REQUIRE(store.revoke("conn_a", "{}", {}, kNow));
  CHECK_FALSE(*store.set_status("conn_a", kAttention, "e", "m", kNow + 1));
  CHECK(status_of(store, "conn_a") == kRevoked);
  CHECK_FALSE(*store.begin_refresh("conn_a", 1));
}

TEST_CASE("what other workspaces have is counted, the largest named", "[store]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  put_provider(store, "p-other", "other");
  int made = 0;
  const auto add = [&](const std::string& workspace, const std::string& alias = {},
                       const std::string& provider = "p-acme") {
    auto row = connection_row("conn_" + std::to_string(made++), alias);
    row.workspace = workspace;
    row.provider_id = provider;
    return make_active(store, row);
  };
  CHECK(store.count_elsewhere("default", "")->connections == 0);
  add("default");
  for (const char* workspace : {"a", "b", "b", "c", "d"}) add(workspace);
  add("d", "mine", "p-other");
  REQUIRE(store.revoke(add("a").id, "{}", {}, kNow));
  const auto all = *store.count_elsewhere("default", "");
  CHECK(all.connections == 6);
  CHECK(all.workspaces == 4);
  CHECK(all.largest ==
        std::vector<std::pair<std::string, std::int64_t>>{{"b", 2}, {"d", 2}, {"a", 1}});
  CHECK(store.count_elsewhere("default", "ACME")->connections == 5);
  CHECK(store.count_elsewhere("b", "acme")->connections == 4);
  const auto mine = *store.count_elsewhere("default", "mine");
  CHECK(mine.largest == std::vector<std::pair<std::string, std::int64_t>>{{"d", 1}});
  CHECK(to_text(mine) == "1 connection in other workspaces (d: 1)");
  CHECK(to_text(all) == "6 connections in other workspaces (b: 2, d: 2, a: 1, …)");
  CHECK(store.count_elsewhere("default", "nobody")->connections == 0);
}

TEST_CASE("who may use a connection is kept, goes on with what takes its place, and can be undone",
          "[store]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  make_active(store, connection_row("conn_old", "mine"));
  api::UseRules rules;
  rules.programs = {{"/usr/bin/git", ""}};
  rules.confirm_minutes = 15;
  REQUIRE(store.set_use_rules("conn_old", &rules, kNow + 1));
  CHECK(stored_row(store, "conn_old").updated_at == kNow + 1);
  const auto programs_of = [&](const std::string& id) {
    const auto row = stored_row(store, id);
    return row.use_rules ? api::in_words(*row.use_rules) : "";
  };
  CHECK(programs_of("conn_old") == "programs: /usr/bin/git; confirmed: once in 15 minutes");

  auto row = connection_row("conn_new");
  row.replaces = "conn_old";
  begin(store, row);
  REQUIRE(*store.activate(row, kPinned, {sealed("conn_new", "access_token")}));
  CHECK(programs_of("conn_new") == programs_of("conn_old"));
  REQUIRE(store.set_use_rules("conn_new", nullptr, kNow + 2));
  CHECK(programs_of("conn_new").empty());

  // What is said of one that waits holds when it is there.
  const auto waiting = begin(store, connection_row("conn_waits"));
  REQUIRE(store.set_use_rules("conn_waits", &rules, kNow));
  REQUIRE(*store.activate(waiting, kPinned, {sealed("conn_waits", "access_token")}));
  CHECK_FALSE(programs_of("conn_waits").empty());
}
