// Connections that are copied to another nexusd, and that are moved there.
#include <nlohmann/json.hpp>

#include "daemon/bundle/bundled.h"
#include "tests/support/bundle_keys.h"
#include "tests/support/catch.h"
#include "tests/support/test_home.h"

using namespace nexus;
using namespace nexus::test;

namespace {

const auto kKeys = BundleKeyPair::make();

/// Refreshed once, and the refresh token stayed: two can hold it.
std::string shareable_connection(TestHome& home, const WantedConnection& wanted = {}) {
  home.server().behave({.rotates = false});
  const auto id = home.active_connection(wanted);
  REQUIRE(home.refresh(id));
  return id;
}

ErrorCode code_of(const Result<std::string>& result) {
  REQUIRE_FALSE(result);
  return result.error().code;
}

}  // namespace

TEST_CASE("a connection is served from a bundle as it was where the bundle was made", "[bundle]") {
  TestHome from;
  TestHome to;
  const auto id = shareable_connection(from, {.alias = "deploy"});
  const auto token = from.token(id)->access_token;
  const auto bundle = from.export_bundle({id}, kKeys.open);
  REQUIRE(bundle);
  const auto imported = to.import_bundle(*bundle, kKeys.secret);
  REQUIRE(imported);
  CHECK(*imported == std::vector{id});
  CHECK(to.token(id)->access_token == token);
  CHECK(to.find("deploy")->id == id);
  CHECK(to.connection(id).expires_at == from.connection(id).expires_at);
  CHECK(to.stored(id, "refresh_token") == from.stored(id, "refresh_token"));
  CHECK(to.provider_names() == std::vector<std::string>{"acme"});
  // It goes on at both, and survives a restart.
  CHECK(from.token(id)->access_token == token);
  to.reopen();
  CHECK(to.token(id)->access_token == token);
  CHECK(from.audited("connection.exported") == 1);
  CHECK(to.audited("connection.imported") == 1);
}

TEST_CASE("a refresh token that a refresh has replaced, or may replace, is not copied",
          "[bundle]") {
  TestHome home;
  const auto id = home.active_connection();
  const auto unknown = home.export_bundle({id}, kKeys.open);
  CHECK(code_of(unknown) == ErrorCode::refresh_token_rotates);
  CHECK(unknown.error().message.find("never refreshed") != std::string::npos);
  CHECK(unknown.error().hint.find("nexus refresh " + id) != std::string::npos);
  REQUIRE(home.refresh(id));  // the usual provider rotates
  const auto known = home.export_bundle({id}, kKeys.open);
  CHECK(code_of(known) == ErrorCode::refresh_token_rotates);
  CHECK(known.error().hint.find("--move") != std::string::npos);
  CHECK(home.audited("connection.exported") == 0);
  CHECK(home.status_shown(id) == "active");
}

TEST_CASE("all connections of a bundle are exported, or none", "[bundle]") {
  TestHome home;
  const auto good = shareable_connection(home);
  home.server().behave({});
  const auto rotating = home.active_connection();
  CHECK_FALSE(home.export_bundle({good, rotating}, kKeys.open));
  CHECK(home.audited("connection.exported") == 0);
  const auto pending = home.request();
  REQUIRE(pending);
  CHECK(code_of(home.export_bundle({good, pending->id}, kKeys.open, true)) ==
        ErrorCode::connection_pending);
  CHECK(home.status_shown(good) == "active");
}

TEST_CASE("a connection that is moved is neither served nor refreshed here", "[bundle]") {
  TestHome home;
  const auto id = home.active_connection();
  REQUIRE(home.export_bundle({id}, kKeys.open, true));
  CHECK(home.status_shown(id) == "attention_required");
  CHECK(home.token(id).error().code == ErrorCode::connection_moving);
  CHECK(home.refresh(id).error().code == ErrorCode::connection_moving);
  home.clock().advance(100'000);
  CHECK(home.refresh_due() == 0);
  CHECK(home.provider().refreshes().empty());
  CHECK(code_of(home.export_bundle({id}, kKeys.open)) == ErrorCode::connection_moving);
}

TEST_CASE("a move that is taken back goes on as if nothing had been", "[bundle]") {
  TestHome home;
  const auto id = home.active_connection();
  REQUIRE(home.export_bundle({id}, kKeys.open, true));
  home.reopen();
  REQUIRE(home.take_back(id));
  CHECK(home.token(id)->access_token == "at-1");
  CHECK(home.refresh(id)->access_token == "at-2");
  CHECK(home.take_back(id).error().code == ErrorCode::invalid_state);
}

TEST_CASE("of moves at the same time one has the connection, and the others leave it be",
          "[bundle]") {
  TestHome home;
  for (int round = 0; round < 10; ++round) {
    const auto id = home.active_connection();
    std::vector<std::future<Result<std::string>>> moves;
    for (int i = 0; i < 6; ++i)
      moves.push_back(std::async(std::launch::async, [&, i] {
        // Every other one fails, but not at once: its key is good, its passphrase is too short.
        return i % 2 == 0 ? home.export_bundle({id}, kKeys.open, true)
                          : home.export_with_passphrase(id, "short", true);
      }));
    int made = 0;
    for (auto& move : moves) made += move.get() ? 1 : 0;
    CHECK(made <= 1);
    CHECK(static_cast<bool>(home.token(id)) == (made == 0));
    if (made == 1) REQUIRE(home.take_back(id));
    REQUIRE(home.token(id));
  }
}

TEST_CASE("a refresh that is under way is waited for: the bundle has what it brought", "[bundle]") {
  TestHome from;
  TestHome to;
  const auto id = expired_connection(from);
  from.provider().hold();
  auto fetched = from.token_later(id);
  REQUIRE(from.provider().sees_refreshes(1));
  auto exported =
      std::async(std::launch::async, [&] { return from.export_bundle({id}, kKeys.open, true); });
  // Nobody is told when it is set aside.
  while (from.status_shown(id) == "active" &&
         exported.wait_for(std::chrono::seconds(0)) != std::future_status::ready)
    std::this_thread::yield();
  CHECK(from.status_shown(id) == "attention_required");
  from.provider().release();
  const auto bundle = exported.get();
  REQUIRE(bundle);
  CHECK(fetched.get().error().code == ErrorCode::connection_moving);  // it came too late
  REQUIRE(to.import_bundle(*bundle, kKeys.secret));
  CHECK(to.stored(id, "refresh_token") == "rt-2");
  CHECK(from.provider().refreshes().size() == 1);
}

TEST_CASE("a move that cannot be made leaves the connection where it is", "[bundle]") {
  TestHome home;
  const auto id = home.active_connection();
  CHECK(code_of(home.export_bundle({id}, "nexus-pub-1234", true)) == ErrorCode::invalid_field);
  CHECK(home.token(id));
  CHECK(home.audited("connection.exported") == 0);
}

TEST_CASE("a grant that ends while it is set aside is told, and not moved", "[bundle]") {
  TestHome home;
  const auto id = expired_connection(home);
  home.provider().answers(answers::oauth_error(400, "invalid_grant"));
  home.provider().hold();
  auto fetched = home.token_later(id);
  REQUIRE(home.provider().sees_refreshes(1));
  auto exported =
      std::async(std::launch::async, [&] { return home.export_bundle({id}, kKeys.open, true); });
  while (home.connection(id).error_code != "moving" &&
         exported.wait_for(std::chrono::seconds(0)) != std::future_status::ready)
    std::this_thread::yield();
  home.provider().release();
  CHECK(code_of(exported.get()) == ErrorCode::attention_required);
  CHECK_FALSE(fetched.get());
  CHECK(home.token(id).error().code == ErrorCode::attention_required);
}

TEST_CASE("a refreshed token that could not be stored yet is in the bundle, or nothing is moved",
          "[bundle]") {
  TestHome from;
  TestHome to;
  const auto id = expired_connection(from);
  from.fill_disk();
  REQUIRE_FALSE(from.token(id));  // rt-2 came, and is kept in memory
  CHECK_FALSE(from.export_bundle({id}, kKeys.open, true));
  CHECK(from.status_shown(id) == "active");
  from.fill_disk(false);
  const auto bundle = from.export_bundle({id}, kKeys.open, true);
  REQUIRE(bundle);
  REQUIRE(to.import_bundle(*bundle, kKeys.secret));
  CHECK(to.stored(id, "refresh_token") == "rt-2");
}

TEST_CASE("a connection that is replaced is not refreshed over what came in", "[bundle]") {
  TestHome to;
  const auto id = to.active_connection();
  const auto bundle = *to.export_bundle({id}, kKeys.open, true);
  REQUIRE(to.import_bundle(bundle, kKeys.secret));
  REQUIRE(to.refresh(id));
  to.clock().advance(7200);
  to.provider().hold();
  auto fetched = to.token_later(id);
  REQUIRE(to.provider().sees_refreshes(2));
  auto imported =
      std::async(std::launch::async, [&] { return to.import_bundle(bundle, kKeys.secret, true); });
  while (to.connection(id).error_code != "moving" &&
         imported.wait_for(std::chrono::seconds(0)) != std::future_status::ready)
    std::this_thread::yield();
  to.provider().release();
  REQUIRE(imported.get());
  CHECK_FALSE(fetched.get());
  CHECK(to.status_shown(id) == "active");
  CHECK(to.stored(id, "refresh_token") == "rt-1");
}

TEST_CASE("a provider that gives the same refresh token back does not replace it", "[bundle]") {
  TestHome home;
  home.server().behave({.rotates = false});
  const auto id = home.active_connection();
  home.provider().answers(answers::with(home.provider().as_usual(), {{"refresh_token", "rt-1"}}));
  REQUIRE(home.refresh(id));
  CHECK(home.export_bundle({id}, kKeys.open));
}

TEST_CASE("whatever a provider has granted travels, however long it is", "[bundle]") {
  TestHome from;
  TestHome to;
  std::string scopes = "read";
  for (int i = 0; i < 400; ++i) scopes += " https://acme.example/auth/scope-" + std::to_string(i);
  from.server().behave({.rotates = false, .scope = scopes});
  const auto id = from.active_connection();
  REQUIRE(from.refresh(id));
  REQUIRE(to.import_bundle(*from.export_bundle({id}, kKeys.open), kKeys.secret));
  CHECK(to.connection(id).scopes == scopes);
}

TEST_CASE("a moved connection goes here without a word to the provider, and comes back",
          "[bundle]") {
  TestHome from;
  TestHome to;
  const auto id = from.active_connection();
  const auto bundle = from.export_bundle({id}, kKeys.open, true);
  REQUIRE(to.import_bundle(*bundle, kKeys.secret));
  const auto gone = from.disconnect(id);  // also without --keep-grant
  REQUIRE(gone);
  CHECK_FALSE(gone->revoked_at_provider);
  from.revoke_due();
  CHECK(from.provider().requests("/revoke").empty());
  CHECK(from.stored(id, "refresh_token").empty());
  const auto home_again = to.export_bundle({id}, kKeys.open, true);
  REQUIRE(from.import_bundle(*home_again, kKeys.secret));
  CHECK(from.refresh(id)->access_token == "at-2");
}

TEST_CASE("whether a refresh token was ever replaced travels with it", "[bundle]") {
  TestHome from;
  TestHome to;
  const auto id = from.active_connection();
  REQUIRE(from.refresh(id));
  REQUIRE(to.import_bundle(*from.export_bundle({id}, kKeys.open, true), kKeys.secret));
  CHECK(code_of(to.export_bundle({id}, kKeys.open)) == ErrorCode::refresh_token_rotates);
}

TEST_CASE("a connection that is here stays, unless it is alike or is to be replaced", "[bundle]") {
  TestHome from;
  TestHome to;
  const auto id = shareable_connection(from);
  const auto bundle = *from.export_bundle({id}, kKeys.open);
  REQUIRE(to.import_bundle(bundle, kKeys.secret));
  REQUIRE(to.import_bundle(bundle, kKeys.secret));
  CHECK(to.audited("connection.imported") == 1);
  REQUIRE(from.refresh(id));
  const auto newer = *from.export_bundle({id}, kKeys.open);
  const auto refused = to.import_bundle(newer, kKeys.secret);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::connection_exists);
  CHECK(to.token(id)->access_token == "at-2");
  REQUIRE(to.import_bundle(newer, kKeys.secret, true));
  CHECK(to.token(id)->access_token == "at-3");
}

TEST_CASE("a provider that is registered alike is used, another one is told with what differs",
          "[bundle]") {
  TestHome from;
  const auto id = shareable_connection(from);
  const auto bundle = *from.export_bundle({id}, kKeys.open);
  {
    TestHome to;
    REQUIRE(to.register_provider());
    REQUIRE(to.import_bundle(bundle, kKeys.secret));
    CHECK(to.provider_names().size() == 1);
    CHECK(to.token(id));
  }
  TestHome to;
  auto fields = provider_fields();
  fields["client_id"] = "client-2";
  fields["client_secret"] = "other";
  REQUIRE(to.register_provider(fields));
  const auto refused = to.import_bundle(bundle, kKeys.secret);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::provider_exists);
  CHECK(refused.error().message.find("client_id, client_secret") != std::string::npos);
  CHECK(refused.error().hint.find("nexus provider edit acme") != std::string::npos);
  CHECK(to.list().empty());
  // The way out: the one here goes, its connections go on.
  REQUIRE(to.remove_provider("acme"));
  REQUIRE(to.import_bundle(bundle, kKeys.secret));
}

TEST_CASE("an alias that is taken keeps all of a bundle out", "[bundle]") {
  TestHome from;
  TestHome to;
  const auto named = shareable_connection(from, {.alias = "deploy"});
  const auto other = shareable_connection(from);
  REQUIRE(to.active_connection({.provider = "other", .alias = "deploy"}) != "");
  const auto bundle = *from.export_bundle({other, named}, kKeys.open);
  const auto refused = to.import_bundle(bundle, kKeys.secret);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::alias_taken);
  CHECK(to.audited("connection.imported") == 0);
  CHECK(to.list().size() == 1);
  CHECK(to.provider_names() == std::vector<std::string>{"other"});
}

TEST_CASE("a member that a profile or endpoints cannot have is refused by its name", "[bundle]") {
  const nlohmann::json profile{{"client_id", "c"},
                               {"auth_url", "https://acme.example/a"},
                               {"token_url", "https://acme.example/t"},
                               {"params", {{"audience", "x"}}}};
  const auto read = [](const nlohmann::json& with) {
    return registration_of({"p-1", "acme", with.dump(), Secret("s3cret")});
  };
  const auto good = read(profile);
  REQUIRE(good);
  CHECK(good->provider.settings.authorization_parameters.contains("audience"));
  // What POST /v1/providers takes beside a profile could lead to another client.
  for (const char* name : {"surplus", "profile", "service_account", "private_key", "client_secret",
                           "replace", "warning"}) {
    auto changed = profile;
    changed[name] = nlohmann::json::object();
    const auto refused = read(changed);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::invalid_bundle);
    CHECK(refused.error().message ==
          "the provider acme: profile has an unknown member, " + std::string(name));
  }
  BundledConnection connection;
  connection.row.id = "conn_01ARZ3NDEKTSV4RRFFQ69G5FAV";
  ProviderEndpoints endpoints;
  endpoints.token = "https://acme.example/t";
  endpoints.client_id = "c";
  connection.pinned = to_text(endpoints);
  REQUIRE(check_bundled(connection, good->provider));
  connection.pinned.insert(1, R"("introspection":"https://evil.example",)");
  const auto refused = check_bundled(connection, good->provider);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message ==
        "connection " + connection.row.id + ": endpoints has an unknown member, introspection");
}
