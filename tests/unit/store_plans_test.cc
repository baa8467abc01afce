// No statement of a store walks through a table that grows: each is asked for its plan.
#include <sqlite3.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "daemon/store/audit_log.h"
#include "daemon/store/sqlite/row_macs.h"
#include "tests/support/catch.h"
#include "tests/support/store_rows.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/test_vault.h"

using namespace nexus;
using namespace nexus::test;

namespace {

std::set<std::string> statements;

int note(unsigned, void*, void* statement, void*) {
  if (const auto* sql = sqlite3_sql(static_cast<sqlite3_stmt*>(statement))) statements.insert(sql);
  return 0;
}

int watch(sqlite3* database, char**, const sqlite3_api_routines*) {
  return sqlite3_trace_v2(database, SQLITE_TRACE_STMT, note, nullptr);
}

/// What is run on every database that is opened meanwhile.
class Statements {
 public:
  Statements() {
    statements.clear();
    sqlite3_auto_extension(reinterpret_cast<void (*)()>(watch));
  }
  ~Statements() { sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(watch)); }
  Statements(const Statements&) = delete;
  Statements& operator=(const Statements&) = delete;
};

/// Each method, on each of its ways.
void use_all_of(Store& store) {
  REQUIRE(store.put_vault_header({"id", "key"}));
  REQUIRE(store.vault_header());
  REQUIRE(store.rewrap_vault_key({"id", "key"}));
  put_provider(store);
  put_provider(store, "p-old", "old");
  auto needs_person = provider_write("p-acme", "acme");
  needs_person.needs_person = "another client";
  make_active(store, connection_row("conn_a", "mine"), kNow);
  auto replacing = connection_row("conn_b");
  replacing.replaces = "conn_a";
  make_active(store, replacing, kNow);
  begin(store, connection_row("conn_c"));
  begin(store, connection_row("conn_d"));
  REQUIRE(store.consume_flow("conn_d"));
  REQUIRE(store.check_provider_name({"p-new", "new", {}}));
  REQUIRE(store.provider("p-acme"));
  REQUIRE(store.provider_record("p-acme"));
  REQUIRE(store.provider_named("acme"));
  REQUIRE(store.providers({}));
  REQUIRE(store.connection("conn_b"));
  REQUIRE(store.connection_aliased("default", "mine"));
  REQUIRE(store.connections_of("default", "acme"));
  REQUIRE(store.connections({}));
  REQUIRE(store.connections({.workspace = "default", .pending = true}));
  REQUIRE(store.count_by_status());
  REQUIRE(store.count_elsewhere("default", "mine"));
  REQUIRE(store.count_elsewhere("default", ""));
  REQUIRE(store.token("conn_b"));
  REQUIRE(store.connection_record("conn_b"));
  REQUIRE(store.flow("state of conn_c"));
  REQUIRE(store.flow_of("conn_c"));
  REQUIRE(store.next_expiry());
  REQUIRE(store.nth_expiry("", kNow, 0));
  REQUIRE(store.nth_expiry("k1", kNow, 0));
  REQUIRE(store.awaited_redirect_uris());
  REQUIRE(store.begin_refresh("conn_b", 1));
  REQUIRE(store.save_refresh("conn_b", {}, {sealed("conn_b", "access_token")}, kNow, 0, kNow));
  REQUIRE(store.save_refresh_failure(stored_row(store, "conn_b"), kNow));
  REQUIRE(store.postpone_refreshes("p-acme", kNow, kNow + 5));
  REQUIRE(store.due_refreshes(kNow, 10));
  REQUIRE(store.next_refresh_after(kNow));
  REQUIRE(store.set_alias("conn_b", "other", kNow));
  REQUIRE(store.set_use_rules("conn_b", nullptr, kNow));
  REQUIRE_FALSE(store.set_alias("conn_b", "acme", kNow));
  REQUIRE_FALSE(store.change_providers({provider_write("p-new", "other")}, {}, kNow));
  REQUIRE(store.set_status("conn_c", kFailed, "denied", "no", kNow));
  REQUIRE(store.expire_flows(kNow + 1000, kNow + 1000, 10)->size() == 1);
  REQUIRE(store.first_failure());
  REQUIRE(store.forget_failed(kNow + 2000, 10));
  const RevocationRow revocation{"conn_b", kNow, 0, kNow + 5};
  REQUIRE(store.revoke("conn_b", "{}", revocation, kNow));
  REQUIRE(store.add_revocation(revocation, {}));
  REQUIRE(store.revocation("conn_b"));
  REQUIRE(store.revocation_outcome("conn_b"));
  REQUIRE(store.due_revocations(kNow, 10));
  REQUIRE(store.next_revocation());
  REQUIRE(store.postpone_revocation(revocation));
  REQUIRE(store.finish_revocation("conn_b", "{}"));
  REQUIRE(store.change_providers({needs_person}, {"p-old"}, kNow));
  REQUIRE(store.put_api_key({"k1", "laptop", "hash", "{}", kNow, kNow + 5}));
  REQUIRE(store.api_keys({}));
  REQUIRE(store.save_key_use("k1", kNow));
  REQUIRE(store.delete_api_key("k1"));
}

std::vector<std::string> plan_of(sqlite3* database, const std::string& sql) {
  std::vector<std::string> steps;
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(database, ("EXPLAIN QUERY PLAN " + sql).c_str(), -1, &statement,
                         nullptr) != SQLITE_OK)
    return steps;  // of the other database
  while (sqlite3_step(statement) == SQLITE_ROW)
    steps.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(statement, 3)));
  sqlite3_finalize(statement);
  return steps;
}

/// Steps that look at every row of something, and why they may.
bool may_scan(const std::string& step) {
  static const std::set<std::string> known{
      // Asked for by a person and by /metrics: one pass over an index of nothing but the statuses.
      "SCAN connections USING COVERING INDEX connection_statuses",
      // Those alone that are deleted.
      "SCAN providers USING COVERING INDEX deleted_providers",
      "SCAN providers USING INDEX deleted_providers",
      // A handful of rows.
      "SCAN meta",
      // The URIs that are awaited, a handful.
      "SCAN awaited_at",
      "SCAN 2 CONSTANT ROWS",
  };
  // What a subquery has found is looked at, once; its own steps are among the others.
  return known.contains(step) || step.starts_with("SCAN (subquery-");
}

std::string source(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// The literals between a parenthesis and the one that closes it.
std::vector<std::string> literals_in(const std::string& text, std::size_t at) {
  std::vector<std::string> literals;
  for (int depth = 1; depth > 0 && at < text.size(); ++at) {
    if (text[at] == '(') ++depth;
    if (text[at] == ')') --depth;
    if (text[at] != '"') continue;
    const auto end = text.find('"', at + 1);
    literals.push_back(text.substr(at + 1, end - at - 1));
    at = end;
  }
  return literals;
}

/// The literals of each call of `query`.
std::vector<std::vector<std::string>> written_statements() {
  const std::string call = "query(";
  std::vector<std::vector<std::string>> all;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(NEXUS_SOURCE) + "/daemon/store/sqlite")) {
    if (!entry.path().string().ends_with("_queries.cc")) continue;
    const auto text = source(entry.path());
    for (auto at = text.find(call); at != std::string::npos; at = text.find(call, at + 1))
      all.push_back(literals_in(text, at + call.size()));
  }
  return all;
}

bool was_run(const std::vector<std::string>& parts) {
  return std::any_of(statements.begin(), statements.end(), [&](const std::string& sql) {
    return std::all_of(parts.begin(), parts.end(), [&](const std::string& part) {
      return sql.find(part) != std::string::npos;
    });
  });
}

}  // namespace

TEST_CASE("no statement walks through a table that grows", "[store]") {
  const TemporaryDirectory directory;
  const Secret key(std::string(32, 'r'));
  const Statements watched;
  {
    const auto store = open_sqlite_store(directory.path());
    REQUIRE(store);
    const auto audit = open_sqlite_audit_log(directory.path(), {key, key}, VaultStage::with_codes);
    REQUIRE(audit);
    REQUIRE((*store)->authenticate_rows(test::test_vault(), VaultHeader{"id", "key"}));
    statements.clear();  // those of the migrations: each runs once
    use_all_of(**store);
    REQUIRE((*audit)->append({R"({"at":1})"}));
    REQUIRE((*audit)->find({}));
    REQUIRE((*audit)->oldest(10));
    REQUIRE((*audit)->size());
    REQUIRE((*audit)->remove_until(1, R"({"at":2})"));
    REQUIRE((*audit)->give_back_space());
  }
  const auto written = written_statements();
  CHECK(written.size() > 40);
  for (const auto& parts : written) {
    REQUIRE_FALSE(parts.empty());
    INFO(parts.back());
    CHECK(was_run(parts));
  }
  for (const char* file : {"/nexus.db", "/audit.db"}) {
    sqlite::Database database(directory.path() + file, sqlite::Database::Mode::read_write);
    const auto keys = sqlite::always(key);
    sqlite::use_row_keys(database, keys);
    if (file == std::string_view("/nexus.db")) {
      // What a statement sets off has a plan as well.
      sqlite3_db_config(database.handle(), SQLITE_DBCONFIG_TRIGGER_EQP, 1, nullptr);
      sqlite::keep_macs(database);
    }
    for (const auto& sql : std::set(statements))
      for (const auto& step : plan_of(database.handle(), sql)) {
        INFO(sql);
        INFO(step);
        CHECK((!step.starts_with("SCAN") || may_scan(step)));
        // All that have a status are nearly all there are.
        CHECK(step.find("connection_statuses (status=?)") == std::string::npos);
      }
  }
}
