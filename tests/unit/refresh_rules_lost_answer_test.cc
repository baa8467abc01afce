// A refresh whose answer is lost, late or too large: the rule F7.
#include "common/json.h"
#include "tests/support/catch.h"
#include "tests/support/test_home.h"

using namespace nexus;
using namespace nexus::test;

TEST_CASE("F7 a request whose answer is lost is sent once more with the same token",
          "[refresh][F7]") {
  TestHome home;
  const auto id = expired_connection(home);
  home.provider().answers(answers::lost());
  const auto token = home.token(id);
  REQUIRE(token);
  CHECK(token->access_token == "at-2");
  CHECK(home.provider().refreshes().size() == 2);
  CHECK(sent(home, 1) == "rt-1");
  CHECK(home.stored(id, "refresh_token") == "rt-2");
}

TEST_CASE("F7 where the provider grants a moment's grace a lost rotation is no loss",
          "[refresh][F7]") {
  TestHome home;
  const auto id = expired_connection(home);
  home.server().behave({.forgives = true});
  home.provider().answers(answers::lost_after(home.provider().as_usual()));
  REQUIRE(home.token(id));
  CHECK(home.provider().refreshes().size() == 2);
  CHECK(home.stored(id, "refresh_token") == "rt-2");
  CHECK(home.server().takes("rt-2"));
  CHECK(home.connection(id).status == "active");
}

TEST_CASE("F7 without grace a lost rotation needs a person, who is told that it was interrupted",
          "[refresh][F7]") {
  TestHome home;
  const auto id = expired_connection(home);
  home.provider().answers(answers::lost_after(home.provider().as_usual()));
  const auto token = home.token(id);
  REQUIRE_FALSE(token);
  CHECK(token.error().code == ErrorCode::attention_required);
  CHECK(home.provider().refreshes().size() == 2);
  CHECK(home.connection(id).error_message.find("interrupted refresh") != std::string::npos);
  CHECK(home.audited("refresh_token_reuse_suspected") == 0);
  CHECK_FALSE(home.token(id));
  CHECK(home.provider().refreshes().size() == 2);
}

TEST_CASE("F7 the same token is repeated once, however often the refresh is tried",
          "[refresh][F7]") {
  TestHome home;
  const auto id = expired_connection(home);
  home.provider().always_answers(answers::lost());
  for (std::size_t tries = 1; tries <= 5; ++tries) {
    CHECK_FALSE(home.token(id));
    CHECK(home.provider().refreshes().size() == tries + 1);
    home.clock().advance(3600);
  }
  // A new refresh token has a repeat of its own.
  home.provider().always_answers({});
  REQUIRE(home.token(id));
  home.clock().advance(3600);
  home.provider().answers(answers::lost());
  CHECK(home.token(id));
}

TEST_CASE("F7 a time-out, an answer that is too large and one that breaks late are not repeated",
          "[refresh][F7]") {
  const auto unanswered = [](ErrorCode code) {
    Error error{code, "nobody knows what became of it", ""};
    error.may_have_arrived = true;
    return error;
  };
  TestHome home;
  const auto id = expired_connection(home);
  const Answer all[] = {
      [&](const SeenRequest&) { return unanswered(ErrorCode::upstream_timeout); },
      [&](const SeenRequest&) { return unanswered(ErrorCode::provider_protocol); },
      [&](const SeenRequest&) {
        home.clock().advance(6);
        return unanswered(ErrorCode::upstream_error);
      }};
  for (const auto& answer : all) {
    const auto before = home.provider().refreshes().size();
    home.provider().answers(answer);
    CHECK_FALSE(home.token(id));
    CHECK(home.provider().refreshes().size() == before + 1);
    CHECK(home.connection(id).refresh_unanswered);
    home.clock().advance(3600);
    REQUIRE(home.token(id));
    home.clock().advance(3600);
  }
}

TEST_CASE("F7 all that one fetch asks of a provider takes twenty seconds at the most",
          "[refresh][F7]") {
  TestHome home;
  REQUIRE(home.register_provider(openid_fields()));
  const auto id = home.active_connection({.scopes = {"openid"}});
  home.clock().advance(3600);
  long asked_ms = 0;
  home.provider().answers([&](const SeenRequest&) -> Result<IncomingResponse> {
    home.clock().advance(5);
    asked_ms += 5'000;
    return answers::lost()({});
  });
  home.provider().answers([&](const SeenRequest& request) -> Result<IncomingResponse> {
    asked_ms += request.total_ms;
    return home.server().answer(request);
  });
  home.provider().always_answers(
      [&](const SeenRequest& request) -> Result<IncomingResponse> {
        asked_ms += request.total_ms;
        return json_answer(200, {{"keys", Json::array()}});
      },
      "/jwks");
  CHECK_FALSE(home.token(id));
  CHECK(home.provider().refreshes().size() == 2);
  CHECK(asked_ms <= 20'000);
}

TEST_CASE("F7 a provider that answers neither time is left alone for a while, the token is kept",
          "[refresh][F7]") {
  TestHome home;
  const auto id = expired_connection(home);
  home.provider().always_answers(answers::lost());
  const auto token = home.token(id);
  REQUIRE_FALSE(token);
  CHECK(token.error().code == ErrorCode::upstream_error);
  CHECK_FALSE(home.token(id));
  CHECK(home.provider().refreshes().size() == 2);
  CHECK(home.connection(id).status == "active");
  CHECK(home.connection(id).refresh_unanswered);

  // It stays on record through a failure that lost nothing.
  home.provider().always_answers(answers::unavailable(500));
  home.clock().advance(60);
  REQUIRE_FALSE(home.token(id));
  CHECK(home.connection(id).refresh_unanswered);
  home.provider().always_answers({});
  home.clock().advance(60);
  CHECK(home.token(id));
  CHECK_FALSE(home.connection(id).refresh_unanswered);
}
