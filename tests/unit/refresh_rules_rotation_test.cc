// What becomes of a refresh token when it is used, and when something comes in between: the rules
// F1, F2, F6, F8 and F14.
#include "common/json.h"
#include "tests/support/catch.h"
#include "tests/support/test_home.h"

using namespace nexus;
using namespace nexus::test;
using Json = nlohmann::json;

TEST_CASE("F1 an answer without a refresh token keeps the old one", "[refresh][F1]") {
  for (const auto& members :
       {Json::object(), Json{{"refresh_token", nullptr}}, Json{{"refresh_token", ""}}}) {
    TestHome home;
    const auto id = home.active_connection();
    home.server().behave({.rotates = false});
    home.provider().always_answers(answers::with(home.provider().as_usual(), members));
    REQUIRE(home.refresh(id));
    CHECK(home.stored(id, "refresh_token") == "rt-1");
    const auto token = home.refresh(id);
    REQUIRE(token);
    CHECK(token->access_token == "at-3");
    CHECK(sent(home, 1) == "rt-1");
  }
}

TEST_CASE("F2 a rotated refresh token is stored before anybody gets the access token",
          "[refresh][F2]") {
  TestHome home;
  const auto id = expired_connection(home);
  std::string stored;
  std::unique_ptr<TestHome> next;
  auto told = std::make_shared<std::promise<TestHome::TokenResult>>();
  home.token_then(id, [&, told](TestHome::TokenResult result) {
    stored = home.stored(id, "refresh_token");
    next = home.after_a_crash();
    told->set_value(std::move(result));
  });
  const auto token = arrived(told->get_future());
  REQUIRE(token);
  CHECK(token->access_token == "at-2");
  CHECK(stored == "rt-2");
  // A daemon that was killed as the first caller was told goes on with the new one.
  REQUIRE(next->refresh(id));
  CHECK(sent(home, 1) == "rt-2");
}

TEST_CASE("F2 a refreshed token outlives the daemon", "[refresh][F2]") {
  TestHome home;
  const auto id = expired_connection(home);
  REQUIRE(home.token(id));
  home.reopen();
  const auto token = home.token(id);
  REQUIRE(token);
  CHECK(token->access_token == "at-2");
  CHECK(home.provider().refreshes().size() == 1);
}

TEST_CASE("F2 a rotated refresh token is kept, whatever else is wrong with the answer it came in",
          "[refresh][F2]") {
  const Json flaws[] = {
      {{"token_type", nullptr}},  {{"token_type", "JWT"}},     {{"scope", {"x"}}},
      {{"scope", "a\nb"}},        {{"expires_in", ""}},        {{"expires_in", -1}},
      {{"expires_in", "3600.0"}}, {{"access_token", nullptr}}, {{"access_token", "a\nb"}},
      {{"id_token", 7}},          {{"error", "server_error"}}, {{"error", "invalid_client"}}};
  for (const auto& flaw : flaws) {
    CAPTURE(to_text(flaw));
    TestHome home;
    const auto id = expired_connection(home);
    home.provider().answers(answers::with(home.provider().as_usual(), flaw));
    REQUIRE_FALSE(home.token(id));
    CHECK(home.connection(id).status == "active");
    CHECK(home.connection(id).failures == 1);
    CHECK_FALSE(home.connection(id).refresh_unanswered);
    CHECK(home.stored(id, "refresh_token") == "rt-2");
    home.clock().advance(60);
    const auto token = home.token(id);
    REQUIRE(token);
    CHECK(token->access_token == "at-3");
    CHECK(sent(home, 1) == "rt-2");
  }
}

TEST_CASE("F2 a rotated refresh token is kept from a text that is no document, but for doubt",
          "[refresh][F2]") {
  struct Body {
    const char* text;
    bool kept;
  };
  const Body bodies[] = {
      {R"({"access_token":"t","token_type":"Bearer","token_type":"Bearer","refresh_token":"rt-2"})",
       true},
      {R"({"refresh_token":"rt-2","x":{"a":1,"a":2}})", true},
      {R"({"data":{"refresh_token":"rt-2","a":1,"a":2}})", true},
      {R"([{"refresh_token":"rt-2"}])", true},
      {"{\"name\":\"\xff\xfe\",\"refresh_token\":\"rt-2\"}", true},
      {R"({"refresh_token":"rt-2"} and more)", true},
      {R"({"refresh_token":"rt-2","scope":)", true},
      {R"({"refresh_token":"rt-2","refresh_token":"rt-3"})", false},
      {R"({"refresh_token":"rt-2","refresh_token":"rt-2"})", false},
      {R"({"refresh_token":"rt-2","refresh_token":null})", false},
      {R"({"refresh_token":["rt-2"],"a":1,"a":2})", false},
      {R"({"refresh_token":7,"a":1,"a":"rt-2"})", false},
      {R"({"refresh_token":"","a":1,"a":2})", false},
      {R"({"refresh_token":"rt-)", false},
      {"{\"refresh_token\":\"rt\xff-2\",\"a\":1}", false},
      {R"(my refresh_token is "rt-2")", false},
      {"", false}};
  for (const auto& [text, kept] : bodies) {
    CAPTURE(text);
    TestHome home;
    const auto id = expired_connection(home);
    home.provider().answers([&, text = text](const SeenRequest& request) {
      auto answer = home.server().answer(request);
      answer.body = text;
      return answer;
    });
    REQUIRE_FALSE(home.token(id));
    CHECK(home.connection(id).status == "active");
    CHECK(home.stored(id, "refresh_token") == (kept ? "rt-2" : "rt-1"));
    if (!kept) continue;
    home.clock().advance(60);
    REQUIRE(home.token(id));
    CHECK(sent(home, 1) == "rt-2");
  }
}

TEST_CASE("F2 nothing is kept from a refusal that is no document", "[refresh][F2]") {
  TestHome home;
  const auto id = expired_connection(home);
  home.provider().answers(
      answers::text(400, "application/json", R"({"a":1,"a":2,"refresh_token":"rt-2"})"));
  REQUIRE_FALSE(home.token(id));
  CHECK(home.stored(id, "refresh_token") == "rt-1");
}

TEST_CASE("F2 a rotated refresh token is kept from a form with a field twice", "[refresh][F2]") {
  TestHome home;
  auto fields = provider_fields();
  fields["params"] = {{"token_response_format", "form"}};
  REQUIRE(home.register_provider(fields));
  const auto id = expired_connection(home);
  for (const auto* form :
       {"a=1&a=2&refresh_token=rt-3&refresh_token=rt-4",
        "access_token=t&token_type=bearer&token_type=bearer&refresh_token=rt-2"}) {
    home.provider().answers(answers::text(200, "application/x-www-form-urlencoded", form));
    REQUIRE_FALSE(home.refresh(id));
  }
  CHECK(home.stored(id, "refresh_token") == "rt-2");
}

TEST_CASE("F2 a rotated refresh token is kept from an answer of another status or type",
          "[refresh][F2]") {
  for (const auto& [status, type] :
       {std::pair(201, "application/json"), std::pair(200, "text/plain"), std::pair(200, "")}) {
    CAPTURE(status, type);
    TestHome home;
    const auto id = expired_connection(home);
    home.provider().answers([&, status = status, type = type](const SeenRequest& request) {
      auto answer = home.server().answer(request);
      answer.status = status;
      answer.headers["content-type"] = type;
      return answer;
    });
    REQUIRE_FALSE(home.token(id));
    CHECK(home.stored(id, "refresh_token") == "rt-2");
    home.clock().advance(60);
    CHECK(home.token(id));
  }
}

TEST_CASE("F2 a token for a part that has a flaw does not lose the rotated refresh token either",
          "[refresh][F2]") {
  TestHome home;
  const auto id = home.active_connection();
  home.provider().answers(answers::with(home.provider().as_usual(), {{"token_type", "JWT"}}));
  REQUIRE_FALSE(home.downscoped_token(id, "read"));
  CHECK(home.stored(id, "refresh_token") == "rt-2");
  CHECK(home.token(id)->access_token == "at-1");
}

TEST_CASE("F2 a rotated refresh token is on disk before the provider's keys are asked for",
          "[refresh][F2]") {
  TestHome home;
  REQUIRE(home.register_provider(openid_fields()));
  const auto id = home.active_connection({.scopes = {"openid"}});
  home.clock().advance(3600);
  std::unique_ptr<TestHome> next;
  home.provider().answers(
      [&](const SeenRequest&) -> Result<IncomingResponse> {
        next = home.after_a_crash();
        return answers::unreachable()({});
      },
      "/jwks");
  const auto token = home.token(id);
  REQUIRE(next);
  CHECK(next->stored(id, "refresh_token") == "rt-2");
  CHECK_FALSE(next->connection(id).refresh_unanswered);
}

TEST_CASE("F2 a rotated refresh token that cannot be stored outlives the flaw of its answer",
          "[refresh][F2][F8]") {
  TestHome home;
  const auto id = expired_connection(home);
  home.fill_disk();
  home.provider().answers(answers::with(home.provider().as_usual(), {{"token_type", "JWT"}}));
  REQUIRE_FALSE(home.token(id));
  home.fill_disk(false);
  home.clock().advance(60);
  const auto token = home.token(id);
  REQUIRE(token);
  CHECK(token->access_token == "at-3");
  CHECK(sent(home, 1) == "rt-2");
}

TEST_CASE("F2 a grant that is adopted is not lost to a flaw of its first answer", "[refresh][F2]") {
  TestHome home;
  REQUIRE(home.register_provider());
  home.provider().answers(answers::with(home.provider().as_usual(), {{"token_type", "JWT"}}));
  const auto adopted = home.adopt(home.server().grant_elsewhere());
  REQUIRE(adopted);
  CHECK(adopted->status == "active");
  CHECK(home.stored(adopted->id, "refresh_token") == "rt-2");
  // What is wrong is told as long as it is, and nothing is handed out.
  home.provider().answers(answers::with(home.provider().as_usual(), {{"token_type", "JWT"}}));
  CHECK_FALSE(home.token(adopted->id));
  home.clock().advance(60);
  CHECK(home.token(adopted->id)->access_token == "at-3");
  CHECK(home.server().takes("rt-4"));
}

TEST_CASE("F6 before a refresh token leaves it is on disk that it does", "[refresh][F6]") {
  TestHome home;
  const auto id = expired_connection(home);
  REQUIRE_FALSE(home.connection(id).refresh_unanswered);
  bool on_record = false;
  home.provider().on_the_way([&](const SeenRequest&) {
    // What a daemon would find that starts now.
    on_record = home.after_a_crash()->connection(id).refresh_unanswered;
  });
  REQUIRE(home.token(id));
  CHECK(on_record);
  CHECK_FALSE(home.connection(id).refresh_unanswered);
}

TEST_CASE("F6 after a crash the old token is tried once, and a person is told what happened",
          "[refresh][F6]") {
  TestHome home;
  const auto id = expired_connection(home);
  std::unique_ptr<TestHome> next;
  home.provider().on_the_way([&](const SeenRequest&) {
    if (!next) next = home.after_a_crash();
  });
  REQUIRE(home.token(id));  // the provider rotates, and the next daemon never hears of it

  const auto token = next->token(id);
  REQUIRE_FALSE(token);
  CHECK(token.error().code == ErrorCode::attention_required);
  CHECK(sent(home, 1) == "rt-1");
  CHECK(next->connection(id).status == "attention_required");
  CHECK(next->connection(id).error_message.find("interrupted refresh") != std::string::npos);
  // It knows why: nobody is suspected of having used the token.
  CHECK(next->audited("refresh_token_reuse_suspected") == 0);
  CHECK_FALSE(next->token(id));
  CHECK_FALSE(next->refresh(id));
  CHECK(next->refresh_due() == 0);
  CHECK(home.provider().refreshes().size() == 2);
}

TEST_CASE("F6 after a crash before the provider saw the request all goes on", "[refresh][F6]") {
  TestHome home;
  const auto id = expired_connection(home);
  std::unique_ptr<TestHome> next;
  home.provider().on_the_way([&](const SeenRequest&) {
    if (!next) next = home.after_a_crash();
  });
  home.provider().answers(answers::unreachable());
  REQUIRE_FALSE(home.token(id));
  const auto token = next->token(id);
  REQUIRE(token);
  CHECK(token->access_token == "at-2");
  CHECK_FALSE(next->connection(id).refresh_unanswered);
}

TEST_CASE(
    "F8 a new token that cannot be stored is served by nobody, kept, and stored as soon as "
    "there is room",
    "[refresh][F8]") {
  TestHome home;
  const auto id = expired_connection(home);
  home.fill_disk();
  const auto token = home.token(id);
  REQUIRE_FALSE(token);
  CHECK(token.error().code == ErrorCode::internal_error);
  home.clock().advance(10);
  CHECK_FALSE(home.token(id));
  home.clock().advance(10);
  CHECK_FALSE(home.refresh(id));
  CHECK(home.stored(id, "refresh_token") == "rt-1");
  // The old token, which the provider has replaced, is not used again.
  CHECK(home.provider().refreshes().size() == 1);

  home.fill_disk(false);
  home.clock().advance(60);
  const auto at_last = home.token(id);
  REQUIRE(at_last);
  CHECK(at_last->access_token == "at-2");
  CHECK(home.provider().refreshes().size() == 1);
  CHECK(home.stored(id, "refresh_token") == "rt-2");
  home.reopen();
  REQUIRE(home.refresh(id));
  CHECK(sent(home, 1) == "rt-2");
}

TEST_CASE("F8 the background stores what could not be stored, without anybody asking",
          "[refresh][F8]") {
  TestHome home;
  const auto id = expired_connection(home);
  home.fill_disk();
  REQUIRE(home.refresh_due() == 1);
  home.fill_disk(false);
  home.clock().advance(60);
  REQUIRE(home.refresh_due() == 1);
  CHECK(home.provider().refreshes().size() == 1);
  CHECK(home.stored(id, "access_token") == "at-2");
}

TEST_CASE("F14 a refusal right after a good refresh is a security event: somebody used the token",
          "[refresh][F14]") {
  TestHome home;
  const auto id = expired_connection(home);
  REQUIRE(home.token(id));
  // A thief with the old token: the provider ends the grant.
  REQUIRE(home.server()
              .answer({.path = "/token",
                       .form = {{"grant_type", "refresh_token"}, {"refresh_token", "rt-1"}}})
              .status == 400);
  home.clock().advance(10);
  const auto token = home.refresh(id);
  REQUIRE_FALSE(token);
  CHECK(token.error().code == ErrorCode::attention_required);
  CHECK(home.connection(id).status == "attention_required");
  CHECK(home.audited("refresh_token_reuse_suspected") == 1);
  CHECK(home.audited("token_refresh_fatal") == 1);
}

TEST_CASE("F14 a grant that ends long after the last refresh is no security event",
          "[refresh][F14]") {
  TestHome home;
  const auto id = expired_connection(home);
  REQUIRE(home.token(id));
  home.clock().advance(3600);
  home.provider().answers(answers::oauth_error(400, "invalid_grant"));
  REQUIRE_FALSE(home.token(id));
  CHECK(home.audited("token_refresh_fatal") == 1);
  CHECK(home.audited("refresh_token_reuse_suspected") == 0);
}
