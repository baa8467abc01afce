// How long a token lives, whose it is, and what a person sees: the rules F13, F15, F18, F19 and
// F20.
#include "common/rfc3339.h"
#include "tests/support/catch.h"
#include "tests/support/store_rows.h"
#include "tests/support/test_home.h"

using namespace nexus;
using namespace nexus::test;

TEST_CASE("F13 a token is refreshed a margin before its end, not earlier", "[refresh][F13]") {
  TestHome home;
  const auto id = home.active_connection();
  home.clock().advance(3600 - 361);
  CHECK(home.token(id)->access_token == "at-1");
  CHECK(home.provider().refreshes().empty());
  home.clock().advance(1);
  CHECK(home.token(id)->access_token == "at-2");
}

TEST_CASE("F13 the background refreshes before a fetch would have to", "[refresh][F13]") {
  TestHome home;
  const auto id = home.active_connection();
  const auto refresh_at = home.connection(id).refresh_at.value();
  CHECK(refresh_at < home.clock().now() + 3600 - 360);
  CHECK(refresh_at >= home.clock().now() + 3600 - 360 - 61);
  home.clock().advance(refresh_at - home.clock().now() - 1);
  CHECK(home.refresh_due() == 0);
  home.clock().advance(1);
  CHECK(home.refresh_due() == 1);
  CHECK(home.refresh_due() == 0);
  CHECK(home.token(id)->access_token == "at-2");
  CHECK(home.provider().refreshes().size() == 1);
}

TEST_CASE("F13 tokens that live for a second cause one refresh a second at the most",
          "[refresh][F13]") {
  TestHome home;
  home.server().behave({.lifetime = 1});
  const auto id = home.active_connection();
  std::size_t served = 0;
  for (int second = 0; second < 5; ++second) {
    for (int call = 0; call < 4; ++call)
      if (home.token(id)) ++served;
    CHECK(home.refresh_due() == 0);
    home.clock().advance(1);
  }
  CHECK(served == 20);
  CHECK(home.provider().refreshes().size() == 4);
}

TEST_CASE("F13 tokens that have expired as they come cause one refresh a call, and none is served",
          "[refresh][F13]") {
  TestHome home;
  home.server().behave({.lifetime = 0});
  const auto id = home.active_connection();
  for (std::size_t call = 1; call <= 3; ++call) {
    CHECK_FALSE(home.token(id));
    CHECK(home.provider().refreshes().size() == call);
    CHECK(home.refresh_due() == 0);
  }
  CHECK(home.connection(id).status == "active");
}

TEST_CASE("F13 a token of which nobody says how long it lives lives as long as the one before",
          "[refresh][F13]") {
  for (const auto& members :
       {nlohmann::json::object(), nlohmann::json{{"expires_in", nullptr}},
        nlohmann::json{{"ext_expires_in", 7200}, {"refresh_token_expires_in", 86'400}}}) {
    TestHome home;
    const auto id = home.active_connection();
    home.server().behave({.lifetime = {}});
    home.provider().always_answers(answers::with(home.provider().as_usual(), members));
    for (int round = 0; round < 2; ++round) {
      home.clock().advance(3600);
      const auto token = home.token(id);
      REQUIRE(token);
      CHECK(token->expires_at == home.clock().now() + 3600);
      CHECK(home.connection(id).refresh_at);
    }
    CHECK(home.downscoped_token(id, "read")->expires_at == home.clock().now() + 3600);
    CHECK(home.token(id, {.min_ttl = 3599})->access_token == "at-3");
  }
}

TEST_CASE("F13 a token whose life was never told is served until somebody insists on another",
          "[refresh][F13]") {
  TestHome home;
  home.server().behave({.lifetime = {}});
  const auto id = home.active_connection();
  home.clock().advance(86'400);
  const auto token = home.token(id, {.min_ttl = 3600});
  REQUIRE(token);
  CHECK(token->access_token == "at-1");
  CHECK_FALSE(token->expires_at);
  CHECK(home.refresh_due() == 0);
  CHECK(home.refresh(id)->access_token == "at-2");
}

TEST_CASE("F13 that a provider's tokens never expire is believed whatever an answer said before",
          "[refresh][F13]") {
  TestHome home;
  const auto id = home.active_connection();
  auto params = provider_fields()["params"];
  params["tokens_never_expire"] = true;
  REQUIRE(home.edit_provider("acme", {{"params", params}}));
  home.clock().advance(3600);
  const auto token = home.token(id);
  REQUIRE(token);
  CHECK_FALSE(token->expires_at);
}

// That the daemon's clock does not go back while it runs is ForwardClock's part, tested with it.
TEST_CASE("F15 a clock that jumps a day ahead causes one refresh, not a burst", "[refresh][F15]") {
  TestHome home;
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) ids.push_back(home.active_connection());
  home.clock().advance(86'400);
  for (int i = 0; i < 3; ++i) {
    home.refresh_due();
    for (const auto& id : ids) CHECK(home.token(id));
  }
  CHECK(home.provider().refreshes().size() == ids.size());
}

TEST_CASE("F15 a token from the future is not trusted to live as long as it says",
          "[refresh][F15]") {
  TestHome home;
  const auto id = home.active_connection();
  home.clock().set_back(86'400);
  home.reopen();
  const auto token = home.token(id);
  REQUIRE(token);
  CHECK(token->access_token == "at-2");
  CHECK(token->expires_at == home.clock().now() + 3600);
  CHECK(home.token(id));
  CHECK(home.provider().refreshes().size() == 1);

  home.clock().advance(3600);
  home.provider().always_answers(answers::unreachable());
  CHECK_FALSE(home.token(id));
}

TEST_CASE("F15 a clock that was a little wrong as the daemon started costs nothing",
          "[refresh][F15]") {
  TestHome home;
  const auto id = home.active_connection();
  home.clock().set_back(30);
  CHECK(home.token(id)->access_token == "at-1");
  home.clock().advance(60);
  CHECK(home.token(id)->access_token == "at-1");
  CHECK(home.provider().refreshes().empty());
}

TEST_CASE("F15 a clock that was ahead and is corrected costs no id_token and no consent",
          "[refresh][F15]") {
  TestHome home;
  REQUIRE(home.register_provider(openid_fields()));
  const auto id = home.active_connection({.scopes = {"openid"}});
  home.clock().correct_wall(600);
  CHECK(home.refresh(id));
  CHECK(home.active_connection({.scopes = {"openid"}}) != id);
  // What nexusd itself dated goes on: no token lives longer for it.
  home.clock().advance(3600);
  CHECK(home.token(id)->access_token == "at-4");
}

TEST_CASE("F15 a clock that is off by more than the leeway is named, with the provider's time",
          "[refresh][F15]") {
  TestHome home;
  REQUIRE(home.register_provider(openid_fields()));
  home.clock().correct_wall(600);
  const auto id = home.active_connection({.scopes = {"openid"}});
  // The provider's clock stays behind, or ahead.
  for (const UnixTime off : {700, -200}) {
    CAPTURE(off);
    const auto provider_now = home.clock().wall()() - off;
    home.provider().answers(
        [&](const SeenRequest& request) { return home.server().answer_at(request, provider_now); });
    const auto token = home.refresh(id);
    REQUIRE_FALSE(token);
    CHECK(token.error().code == ErrorCode::invalid_id_token);
    CHECK(token.error().message.find(rfc3339(home.clock().wall()())) != std::string::npos);
    CHECK(token.error().message.find(rfc3339(off > 0 ? provider_now + 600 : provider_now)) !=
          std::string::npos);
  }
}

TEST_CASE("F15 when a connection was made, changed and refreshed is told by the corrected clock",
          "[refresh][F15]") {
  TestHome home;
  home.clock().correct_wall(86'400);
  const auto told_now = [&](UnixTime time) { return time == home.clock().wall()(); };
  const auto id = home.active_connection();
  CHECK(told_now(home.connection(id).created_at));
  CHECK(told_now(home.connection(id).updated_at));
  home.clock().advance(3600);
  REQUIRE(home.token(id));
  CHECK(told_now(home.connection(id).last_refresh_at.value()));
  CHECK(told_now(home.connection(id).updated_at));
  home.clock().advance(10);
  REQUIRE(home.set_alias(id, "mine"));
  CHECK(told_now(home.connection(id).updated_at));
  home.clock().advance(3600);
  home.provider().answers(answers::unavailable(503));
  static_cast<void>(home.token(id));
  CHECK(home.connection(id).failures == 1);
  CHECK(told_now(home.connection(id).updated_at));
  home.clock().advance(10);
  REQUIRE(home.disconnect(id));
  CHECK(told_now(home.connection(id).updated_at));

  const auto late = home.request();
  REQUIRE(late);
  home.clock().advance(600);
  home.sweep_flows();
  CHECK(home.connection(late->id).status == "failed");
  CHECK(told_now(home.connection(late->id).updated_at));
}

TEST_CASE("F15 a token's life counts from when it was asked for, not from when it came",
          "[refresh][F15]") {
  TestHome home;
  const auto id = home.active_connection();
  home.clock().advance(3600);
  const auto asked_at = home.clock().now();
  home.provider().hold();
  auto caller = home.token_later(id);
  REQUIRE(home.provider().sees_refreshes(1));
  home.clock().advance(10);
  home.provider().release();
  const auto token = arrived(std::move(caller));
  REQUIRE(token);
  CHECK(token->expires_at == asked_at + 3600);
}

TEST_CASE("F18 a refresh asks for no scope, and what was granted is recorded", "[refresh][F18]") {
  TestHome home;
  const auto id = home.active_connection();
  CHECK(home.connection(id).scopes == "read write");
  home.server().behave({.scope = "read"});
  home.clock().advance(3600);
  const auto token = home.token(id);
  REQUIRE(token);
  CHECK_FALSE(home.provider().refreshes()[0].has("scope"));
  CHECK(token->scopes == "read");
  CHECK(home.connection(id).scopes == "read");
  // An answer that says nothing leaves it at that.
  home.server().behave({});
  REQUIRE(home.refresh(id));
  CHECK(home.connection(id).scopes == "read");
}

TEST_CASE("F18 a token for less asks for a subset, more than was granted is not even asked for",
          "[refresh][F18]") {
  TestHome home;
  const auto id = home.active_connection();
  const auto token = home.downscoped_token(id, "read");
  REQUIRE(token);
  CHECK(token->scopes == "read");
  CHECK(home.provider().refreshes()[0]["scope"] == "read");
  CHECK(home.connection(id).scopes == "read write");
  const auto more = home.downscoped_token(id, "read admin");
  REQUIRE_FALSE(more);
  CHECK(more.error().code == ErrorCode::scope_not_allowed);
  CHECK(home.provider().refreshes().size() == 1);
}

TEST_CASE("F19 a token of another type is refused, the old refresh token stays", "[refresh][F19]") {
  for (const char* type : {"mac", "DPoP", ""}) {
    TestHome home;
    const auto id = home.active_connection();
    home.server().behave({.rotates = false});
    home.provider().answers(answers::with(home.provider().as_usual(), {{"token_type", type}}));
    const auto token = home.refresh(id);
    REQUIRE_FALSE(token);
    CHECK(token.error().code == ErrorCode::provider_protocol);
    CHECK(home.stored(id, "access_token") == "at-1");
    CHECK(home.stored(id, "refresh_token") == "rt-1");
    CHECK(home.connection(id).status == "active");
    CHECK(home.refresh(id));
  }
}

TEST_CASE("F19 tokens of another person are refused", "[refresh][F19]") {
  TestHome home;
  REQUIRE(home.register_provider(openid_fields()));
  const auto id = home.active_connection();
  home.server().behave({.rotates = false, .subject = "mallory"});
  const auto token = home.refresh(id);
  REQUIRE_FALSE(token);
  CHECK(token.error().code == ErrorCode::invalid_id_token);
  CHECK(home.stored(id, "access_token") == "at-1");
  CHECK(home.stored(id, "refresh_token") == "rt-1");
  CHECK(home.token(id)->access_token == "at-1");
  home.server().behave({.rotates = false});
  const auto again = home.refresh(id);
  REQUIRE(again);
  CHECK_FALSE(again->id_token.empty());
}

TEST_CASE(
    "F19 a refresh token that came with somebody else's id_token is kept: the old one is "
    "spent",
    "[refresh][F19]") {
  TestHome home;
  REQUIRE(home.register_provider(openid_fields()));
  const auto id = home.active_connection();
  home.server().behave({.subject = "mallory"});
  REQUIRE_FALSE(home.refresh(id));
  CHECK(home.stored(id, "access_token") == "at-1");
  CHECK(home.stored(id, "refresh_token") == "rt-2");
  home.server().behave({});
  CHECK(home.refresh(id));
}

// The words on the page, the command line's exit code and the metric are shown end to end; here,
// what they are made of.
TEST_CASE("F20 that a connection needs a person is told wherever anybody looks", "[refresh][F20]") {
  TestHome home;
  const auto id = home.active_connection({.alias = "mine"});
  home.clock().advance(3600);
  home.provider().answers(answers::oauth_error(400, "invalid_grant"));
  const auto token = home.token(id);
  REQUIRE_FALSE(token);
  CHECK(token.error().exit_code() == 4);
  CHECK(info(token.error().code).http_status == 409);
  CHECK(token.error().hint.find("--replace " + id) != std::string::npos);
  CHECK(home.status_shown(id) == "attention_required");
  CHECK(home.connection(id).error_message.find("invalid_grant") != std::string::npos);
  CHECK(home.store().count_by_status()->at(ConnectionStatus::attention_required) == 1);
  REQUIRE(home.told_of_attention().size() == 1);
  CHECK(home.told_of_attention()[0].starts_with(id));
  home.reopen();
  CHECK(home.token(id).error().code == ErrorCode::attention_required);
  CHECK(home.find("mine")->id == id);
}

TEST_CASE("F20 consenting again ends it: the new connection takes over the alias",
          "[refresh][F20]") {
  TestHome home;
  const auto id = home.active_connection({.alias = "mine"});
  home.clock().advance(3600);
  home.provider().answers(answers::oauth_error(400, "invalid_grant"));
  REQUIRE_FALSE(home.token(id));
  const auto next = home.active_connection({.replaces = id});
  CHECK(home.find("mine")->id == next);
  CHECK(home.token(next)->access_token == "at-2");
  CHECK(home.connection(id).status == "revoked");
  CHECK(fields_of(home.store(), id).empty());
}
