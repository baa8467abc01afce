#include "tests/support/any_store.h"
#include "tests/support/store_rows.h"

using namespace nexus;
using namespace nexus::test;

namespace {

std::vector<std::string> names(Store& store) {
  std::vector<std::string> found;
  const auto rows = store.providers({});
  for (const auto& row : *rows) found.push_back(row.name);
  return found;
}

}  // namespace

TEST_CASE("a provider is found by its id and its name, and listed by name", "[store]") {
  const auto any = any_store();
  auto& store = **any;
  auto acme = provider_write("p1", "zeta");
  acme.fields = {sealed("p1", "client_secret")};
  REQUIRE(store.change_providers({acme, provider_write("p2", "alpha")}, {}, kNow));
  CHECK(names(store) == std::vector<std::string>{"alpha", "zeta"});
  const auto by_id = *store.provider("p1");
  REQUIRE(by_id);
  CHECK(by_id->name == "zeta");
  CHECK(by_id->profile == acme.row.profile);
  CHECK(by_id->created_at == kNow);
  CHECK_FALSE(by_id->deleted);
  CHECK((*store.provider_named("zeta"))->id == "p1");
  CHECK_FALSE(*store.provider_named("Zeta"));
  CHECK_FALSE(*store.provider("p3"));
  CHECK(field_names(store, "p1") == std::vector<std::string>{"client_secret"});
}

TEST_CASE("a provider that exists is replaced, with all of its secrets", "[store]") {
  const auto any = any_store();
  auto& store = **any;
  auto before = provider_write("p1", "acme");
  before.fields = {sealed("p1", "client_secret", "old"), sealed("p1", "credentials")};
  REQUIRE(store.change_providers({before}, {}, kNow));
  auto after = provider_write("p1", "acme-2");
  after.row.created_at = kNow + 9;
  after.row.updated_at = kNow + 9;
  after.fields = {sealed("p1", "client_secret", "new", 2)};
  REQUIRE(store.change_providers({after}, {}, kNow + 9));
  const auto row = *store.provider("p1");
  CHECK(row->name == "acme-2");
  CHECK(row->created_at == kNow);
  CHECK(row->updated_at == kNow + 9);
  CHECK(field_names(store, "p1") == std::vector<std::string>{"client_secret"});
  CHECK(sealed_text(store, "p1", "client_secret") == "new");
}

TEST_CASE("changes of providers are made all together or not at all", "[store]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store, "p1", "acme");
  put_provider(store, "p2", "other");
  auto fine = provider_write("p3", "third");
  fine.fields = {sealed("p3", "client_secret")};
  const auto result =
      store.change_providers({fine, provider_write("p4", "acme")}, {"p2"}, kNow + 1);
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::provider_exists);
  CHECK(names(store) == std::vector<std::string>{"acme", "other"});
  CHECK_FALSE((*store.provider("p2"))->deleted);
  CHECK_FALSE(*store.provider("p3"));
  CHECK(field_names(store, "p3").empty());
}

TEST_CASE("a deleted provider frees its name at once, also for a write beside it", "[store]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store, "p1", "acme");
  REQUIRE(store.change_providers({provider_write("p2", "acme")}, {"p1"}, kNow + 1));
  CHECK((*store.provider_named("acme"))->id == "p2");
  const auto gone = *store.provider("p1");
  REQUIRE(gone);
  CHECK(gone->deleted);
}

TEST_CASE("a deleted provider's secrets go when no connection needs them any more", "[store]") {
  const auto any = any_store();
  auto& store = **any;
  auto acme = provider_write("p-acme", "acme");
  acme.fields = {sealed("p-acme", "client_secret")};
  REQUIRE(store.change_providers({acme}, {}, kNow));
  const auto has_secret = [&] { return !field_names(store, "p-acme").empty(); };
  make_active(store, connection_row("conn_a"));
  make_active(store, connection_row("conn_b"));
  REQUIRE(store.change_providers({}, {"p-acme"}, kNow));
  CHECK(names(store).empty());
  CHECK(has_secret());
  // Those connections go on under its name.
  CHECK(stored_row(store, "conn_a").provider_name == "acme");
  CHECK(store.connections_of("default", "acme")->size() == 2);

  REQUIRE(store.revoke("conn_a", "{}", {}, kNow));
  CHECK(has_secret());
  REQUIRE(store.revoke("conn_b", "{}", RevocationRow{"conn_b", kNow, 0, kNow + 60}, kNow));
  CHECK(has_secret());
  REQUIRE(store.finish_revocation("conn_b", "{}"));
  CHECK_FALSE(has_secret());
}

TEST_CASE("a deleted provider without connections leaves no secret", "[store]") {
  const auto any = any_store();
  auto& store = **any;
  auto acme = provider_write("p1", "acme");
  acme.fields = {sealed("p1", "client_secret")};
  REQUIRE(store.change_providers({acme}, {}, kNow));
  REQUIRE(store.change_providers({}, {"p1"}, kNow));
  CHECK(field_names(store, "p1").empty());
}

TEST_CASE("active connections of a provider that changed need a person, the others stay",
          "[store]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  put_provider(store, "p-other", "other");
  make_active(store, connection_row("conn_a", "mine"));
  begin(store, connection_row("conn_pending"));
  auto elsewhere = connection_row("conn_elsewhere");
  elsewhere.provider_id = "p-other";
  make_active(store, elsewhere);
  auto moved = provider_write("p-acme", "acme");
  moved.needs_person = "its endpoints were changed";
  REQUIRE(store.change_providers({moved}, {}, kNow + 7));
  const auto row = stored_row(store, "conn_a");
  CHECK(row.status == kAttention);
  CHECK(row.error_message == "its endpoints were changed");
  CHECK_FALSE(row.error_code.empty());
  CHECK(row.updated_at == kNow + 7);
  CHECK(row.alias == "mine");
  CHECK(status_of(store, "conn_pending") == kPending);
  CHECK(status_of(store, "conn_elsewhere") == kActive);
  CHECK(sealed_text(store, "conn_a", "refresh_token") == "rt of conn_a");
}

TEST_CASE("a provider that was corrected has its failed refreshes due at once", "[store]") {
  const auto any = any_store();
  auto& store = **any;
  put_provider(store);
  auto failed = make_active(store, connection_row("conn_failed"), kNow + 10);
  failed.refresh_failures = 3;
  failed.refresh_at = kNow + 900;
  REQUIRE(store.save_refresh_failure(failed, kNow));
  make_active(store, connection_row("conn_well"), kNow + 3000);
  auto corrected = provider_write("p-acme", "acme");
  corrected.row.updated_at = kNow + 1;
  REQUIRE(store.change_providers({corrected}, {}, kNow + 1));
  CHECK(stored_row(store, "conn_failed").refresh_at == kNow + 1);
  CHECK(stored_row(store, "conn_failed").refresh_failures == 0);
  CHECK(stored_row(store, "conn_well").refresh_at == kNow + 3000);
}
