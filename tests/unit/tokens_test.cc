#include "tests/support/catch.h"
#include "tests/support/test_home.h"

using namespace nexus;
using namespace nexus::test;
using Json = nlohmann::json;

namespace {

/// An active connection that holds an API key.
std::string static_connection(TestHome& home) {
  const auto registered = home.register_provider(key_fields());
  REQUIRE(registered);
  const auto pending = home.request({.provider = "keyed"});
  REQUIRE(pending);
  const auto captured = home.capture(*pending, {{"api_key", "sk-123"}});
  REQUIRE(captured);
  REQUIRE(captured->active);
  return pending->id;
}

void register_unattended(TestHome& home) {
  auto fields = provider_fields("robot");
  fields["grant_type"] = "client_credentials";
  REQUIRE(home.register_provider(fields));
}

}  // namespace

TEST_CASE("a token that is good is handed out without asking anybody", "[tokens]") {
  TestHome home;
  const auto id = home.active_connection();
  const auto expires_at = home.clock().now() + 3600;
  auto later = home.token_later(id);
  REQUIRE(later.wait_for(std::chrono::seconds(0)) == std::future_status::ready);
  const auto token = later.get();
  REQUIRE(token);
  CHECK(token->connection_id == id);
  CHECK(token->access_token == "at-1");
  CHECK(token->id_token.empty());
  CHECK(token->scopes == "read write");
  CHECK(token->expires_at == expires_at);
  CHECK(home.provider().refreshes().empty());
}

TEST_CASE("who wants more life than is left gets a fresh token", "[tokens]") {
  TestHome home;
  const auto id = home.active_connection();
  home.clock().advance(1000);
  CHECK(home.token(id, {.min_ttl = 2599})->access_token == "at-1");
  CHECK(home.token(id, {.min_ttl = 2600})->access_token == "at-2");
  CHECK(home.provider().refreshes().size() == 1);
}

TEST_CASE("who wants more life than the provider gives gets the freshest there is", "[tokens]") {
  TestHome home;
  const auto id = home.active_connection();
  home.clock().advance(10);
  const auto token = home.token(id, {.min_ttl = 86'400});
  REQUIRE(token);
  CHECK(token->access_token == "at-2");
  CHECK(token->expires_at == home.clock().now() + 3600);
}

TEST_CASE("a token without an end is used for ever", "[tokens]") {
  TestHome home;
  home.server().behave({.lifetime = {}});
  const auto id = home.active_connection();
  CHECK_FALSE(home.connection(id).refresh_at);
  home.clock().advance(10 * 365 * 86'400LL);
  const auto token = home.token(id, {.min_ttl = 3600});
  REQUIRE(token);
  CHECK_FALSE(token->expires_at);
  CHECK(home.refresh_due() == 0);
  CHECK(home.provider().refreshes().empty());
}

TEST_CASE("a connection that has no token to give says why", "[tokens]") {
  TestHome home;
  const auto active = home.active_connection();
  const auto pending = home.request();
  REQUIRE(pending);
  const auto denied = home.request();
  REQUIRE(denied);
  REQUIRE(
      home.answer(denied->redirect_uri, {{"error", "access_denied"}, {"state", denied->state}}));
  REQUIRE(home.disconnect(active));
  for (const auto& [id, code] : {std::pair(pending->id, ErrorCode::connection_pending),
                                 std::pair(denied->id, ErrorCode::connection_failed),
                                 std::pair(active, ErrorCode::connection_revoked),
                                 std::pair(std::string("conn_01ARZ3NDEKTSV4RRFFQ69G5FAV"),
                                           ErrorCode::connection_not_found)}) {
    CAPTURE(id);
    const auto token = home.token(id);
    REQUIRE_FALSE(token);
    CHECK(token.error().code == code);
    CHECK(home.refresh(id).error().code == code);
    CHECK(home.downscoped_token(id, "read").error().code == code);
  }
}

TEST_CASE("without a refresh token a token is used to its end, then a person is needed",
          "[tokens]") {
  TestHome home;
  home.server().behave({.refresh_tokens = false});
  const auto id = home.active_connection();
  CHECK_FALSE(home.connection(id).refresh_at);
  home.clock().advance(3599);
  CHECK(home.token(id)->access_token == "at-1");
  const auto forced = home.refresh(id);
  REQUIRE_FALSE(forced);
  CHECK(forced.error().code == ErrorCode::no_refresh_token);
  CHECK(home.connection(id).status == "active");
  home.clock().advance(1);
  CHECK(home.token(id).error().code == ErrorCode::attention_required);
  CHECK(home.connection(id).status == "attention_required");
  CHECK(home.provider().refreshes().empty());
}

TEST_CASE("a forced refresh brings a new token whatever is left of the old one", "[tokens]") {
  TestHome home;
  const auto id = home.active_connection();
  CHECK(home.refresh(id)->access_token == "at-2");
  CHECK(home.refresh(id)->access_token == "at-3");
  CHECK(home.stored(id, "refresh_token") == "rt-3");
}

TEST_CASE("a forced refresh that fails is told, although the old token is good", "[tokens]") {
  TestHome home;
  const auto id = home.active_connection();
  home.provider().answers(answers::unavailable(500));
  CHECK(home.refresh(id).error().code == ErrorCode::upstream_error);
  CHECK(home.token(id)->access_token == "at-1");
}

TEST_CASE("a token that an API refused is replaced once, a newer one is left alone", "[tokens]") {
  TestHome home;
  const auto id = home.active_connection();
  CHECK(home.replace_refused(id, "at-0")->access_token == "at-1");
  CHECK(home.provider().refreshes().empty());
  home.clock().advance(1);
  CHECK(home.replace_refused(id, "at-1")->access_token == "at-2");
  CHECK(home.replace_refused(id, "at-1")->access_token == "at-2");
  CHECK(home.token(id)->access_token == "at-2");
  CHECK(home.provider().refreshes().size() == 1);
}

TEST_CASE("a token that an API refuses on and on does not break the peace of a provider in trouble",
          "[tokens]") {
  TestHome home;
  const auto id = home.active_connection();
  home.provider().answers(answers::unavailable(500));
  CHECK(home.replace_refused(id, "at-1").error().code == ErrorCode::upstream_error);
  CHECK(home.replace_refused(id, "at-1").error().code == ErrorCode::upstream_error);
  CHECK(home.provider().refreshes().size() == 1);
  CHECK(home.token(id)->access_token == "at-1");
}

TEST_CASE("a key that an API refused is not one to refresh", "[tokens]") {
  TestHome home;
  CHECK(home.replace_refused(static_connection(home), "sk-123").error().code ==
        ErrorCode::static_token);
  CHECK(home.replace_refused("conn_01ARZ3NDEKTSV4RRFFQ69G5FAV", "at-1").error().code ==
        ErrorCode::connection_not_found);
}

TEST_CASE("an id_token comes with the token where openid was asked for", "[tokens]") {
  TestHome home;
  REQUIRE(home.register_provider(openid_fields()));
  const auto id = home.active_connection();
  const auto token = home.token(id);
  REQUIRE(token);
  CHECK_FALSE(token->id_token.empty());
  home.clock().advance(3600);
  const auto refreshed = home.token(id);
  REQUIRE(refreshed);
  CHECK(refreshed->id_token != token->id_token);
}

TEST_CASE("a token comes only to those who may use the connection", "[tokens]") {
  TestHome home;
  const auto id = home.active_connection();
  for (const auto& what :
       {std::string("all"), std::string("provider:acme"), std::string("workspace:default"), id})
    CHECK(home.token(id, {.caller = TestHome::caller_who_may_use({what})}));
  const auto looks = home.token(id, {.caller = TestHome::caller_who_may_read({"all"})});
  REQUIRE_FALSE(looks);
  CHECK(looks.error().code == ErrorCode::access_denied);
  const auto stranger =
      home.token(id, {.caller = TestHome::caller_who_may_use({"provider:other"})});
  REQUIRE_FALSE(stranger);
  CHECK(stranger.error().code == ErrorCode::connection_out_of_scope);
  // It is told what somebody is told who asks for a connection that there is not.
  CHECK(std::string(stranger.error().wire()) == "connection_not_found");
}

TEST_CASE("a stranger cannot have a token refreshed", "[tokens]") {
  TestHome home;
  const auto id = home.active_connection();
  home.clock().advance(3600);
  CHECK_FALSE(home.token(id, {.caller = TestHome::caller_who_may_read({"all"})}));
  CHECK(home.provider().refreshes().empty());
}

TEST_CASE("a static connection gives what was captured, and has nothing to refresh", "[tokens]") {
  TestHome home;
  const auto id = static_connection(home);
  home.clock().advance(365 * 86'400LL);
  const auto token = home.token(id);
  REQUIRE(token);
  CHECK(Json::parse(token->document) == Json{{"api_key", "sk-123"}});
  CHECK(token->access_token.empty());
  CHECK(home.refresh(id).error().code == ErrorCode::static_token);
  CHECK(home.downscoped_token(id, "read").error().code == ErrorCode::static_token);
}

TEST_CASE("where no person is needed a new token is asked for as the client", "[tokens]") {
  TestHome home;
  register_unattended(home);
  const auto id = home.active_connection({.provider = "robot"});
  CHECK(home.token(id)->access_token == "at-1");
  home.clock().advance(3600);
  CHECK(home.token(id)->access_token == "at-2");
  const auto requests = home.provider().requests();
  REQUIRE(requests.size() == 2);
  CHECK(requests[1]["grant_type"] == "client_credentials");
  CHECK(requests[1]["scope"] == "read write");
  CHECK(home.stored(id, "refresh_token").empty());
}

TEST_CASE("what an answer told beside the token stays until another answer tells it anew",
          "[tokens]") {
  TestHome home;
  auto fields = provider_fields();
  fields["params"]["token_fields"] = {"instance_url", "team.id"};
  REQUIRE(home.register_provider(fields));
  const auto answer = [&](nlohmann::json members) {
    home.provider().answers(answers::with(home.provider().as_usual(), std::move(members)));
  };
  answer({{"instance_url", "https://a.example"}, {"team", {{"id", "T1"}}}, {"other", "x"}});
  const auto id = home.active_connection();
  const auto told = [&] { return (*home.store().token(id))->connection.token.token_fields; };
  const std::string first = R"({"instance_url":"https://a.example","team.id":"T1"})";
  CHECK(told() == first);
  answer({{"instance_url", nullptr}});
  REQUIRE(home.refresh(id));
  CHECK(told() == first);
  answer({{"instance_url", "https://b.example"}});
  REQUIRE(home.refresh(id));
  CHECK(told() == R"({"instance_url":"https://b.example","team.id":"T1"})");
  // A token for less is no news of the connection.
  answer({{"team", {{"id", "T2"}}}});
  REQUIRE(home.downscoped_token(id, "read"));
  CHECK(told() == R"({"instance_url":"https://b.example","team.id":"T1"})");
  home.reopen();
  CHECK(told() == R"({"instance_url":"https://b.example","team.id":"T1"})");
  // What the entry does not name any more goes with the next answer.
  auto params = provider_fields()["params"];
  params["token_fields"] = {"team.id"};
  REQUIRE(home.edit_provider("acme", {{"params", params}}));
  REQUIRE(home.refresh(id));
  CHECK(told() == R"({"team.id":"T1"})");
  REQUIRE(home.disconnect(id));
  CHECK(told().empty());
}

TEST_CASE("a token for less is kept for its target until it expires", "[tokens][narrow]") {
  TestHome home;
  const auto id = home.active_connection();
  CHECK(home.downscoped_token(id, "read")->access_token == "at-2");
  CHECK(home.downscoped_token(id, "read")->access_token == "at-2");
  CHECK(home.downscoped_token(id, "write")->access_token == "at-3");
  CHECK(home.downscoped_token(id, "read", "https://api.example")->access_token == "at-4");
  CHECK(home.provider().refreshes()[2]["resource"] == "https://api.example");
  // All that was granted is the whole token.
  CHECK(home.downscoped_token(id, "write  read")->access_token == "at-1");
  CHECK(home.downscoped_token(id, "read", "", true)->access_token == "at-5");
  home.clock().advance(3600);
  CHECK(home.downscoped_token(id, "read")->access_token == "at-6");
  CHECK(home.stored(id, "access_token") == "at-1");
}

TEST_CASE("a token for less rotates the refresh token as any refresh does", "[tokens][narrow]") {
  TestHome home;
  const auto id = home.active_connection();
  REQUIRE(home.downscoped_token(id, "read"));
  CHECK(home.stored(id, "refresh_token") == "rt-2");
  CHECK(home.refresh(id));
}

TEST_CASE("a target that the provider refuses says nothing about the grant", "[tokens][narrow]") {
  TestHome home;
  const auto id = home.active_connection();
  for (const char* code : {"invalid_scope", "invalid_target"}) {
    home.provider().answers(answers::oauth_error(400, code));
    const auto token = home.downscoped_token(id, "read", "https://api.example");
    REQUIRE_FALSE(token);
    CHECK(token.error().code == ErrorCode::scope_not_allowed);
    CHECK(home.connection(id).status == "active");
    CHECK(home.connection(id).failures == 0);
    CHECK_FALSE(home.connection(id).refresh_unanswered);
  }
  CHECK(home.refresh(id));
}

TEST_CASE("a target has to be one", "[tokens][narrow]") {
  TestHome home;
  const auto id = home.active_connection();
  for (const auto& [scopes, audience] :
       {std::pair("re\nad", ""), std::pair("read", "not a URI"), std::pair("read", "https://a#b"),
        std::pair("read", "https://a\x7f")})
    CHECK(home.downscoped_token(id, scopes, audience).error().code == ErrorCode::invalid_field);
  CHECK(home.provider().refreshes().empty());
}

TEST_CASE("who wants another target waits for the refresh under way, and gets its own",
          "[tokens][narrow]") {
  TestHome home;
  const auto id = home.active_connection();
  home.clock().advance(3600);
  home.provider().hold();
  auto whole = home.token_later(id);
  REQUIRE(home.provider().sees_refreshes(1));
  auto narrow = std::async(std::launch::async, [&] { return home.downscoped_token(id, "read"); });
  home.provider().release();
  CHECK(arrived(std::move(whole))->access_token == "at-2");
  const auto token = arrived(std::move(narrow));
  REQUIRE(token);
  CHECK(token->access_token == "at-3");
  CHECK(token->scopes == "read");
  // One after the other, each with the refresh token that the one before brought.
  CHECK(home.provider().refreshes()[1]["refresh_token"] == "rt-2");
}

TEST_CASE("tokens for less end with their connection", "[tokens][narrow]") {
  TestHome home;
  const auto id = home.active_connection();
  REQUIRE(home.downscoped_token(id, "read"));
  REQUIRE(home.disconnect(id));
  CHECK(home.downscoped_token(id, "read").error().code == ErrorCode::connection_revoked);
}

TEST_CASE("a connection that nobody uses is kept alive rather than fresh", "[tokens][refresh]") {
  constexpr UnixTime kDay = 86'400;
  TestHome home({.idle_after = 7 * kDay});
  const auto id = home.active_connection();
  home.clock().advance(8 * kDay);
  REQUIRE(home.refresh_due() == 1);
  CHECK(home.connection(id).refresh_at >= home.clock().now() + 7 * kDay);
  // Whoever uses it again gets a fresh one, and it is kept fresh from then on.
  home.clock().advance(kDay);
  CHECK(home.token(id)->access_token == "at-3");
  CHECK(home.connection(id).refresh_at < home.clock().now() + 3600);
}

TEST_CASE("a new connection counts as used, however far the clock was corrected",
          "[tokens][refresh]") {
  constexpr UnixTime kDay = 86'400;
  TestHome home({.idle_after = 7 * kDay});
  home.clock().correct_wall(30 * kDay);
  const auto id = home.active_connection();
  home.clock().advance(3600);
  REQUIRE(home.refresh_due() == 1);
  CHECK(home.connection(id).refresh_at < home.clock().now() + 3600);
}

TEST_CASE("one without a person that nobody uses is not refreshed at all", "[tokens][refresh]") {
  constexpr UnixTime kDay = 86'400;
  TestHome home({.idle_after = 7 * kDay});
  register_unattended(home);
  const auto id = home.active_connection({.provider = "robot"});
  home.clock().advance(8 * kDay);
  REQUIRE(home.refresh_due() == 1);
  CHECK_FALSE(home.connection(id).refresh_at);
  CHECK(home.token(id));
}
