// A provider that refuses, and what that says of the grant: the rule F9.
#include "tests/support/catch.h"
#include "tests/support/test_home.h"

using namespace nexus;
using namespace nexus::test;

namespace {

struct Refusal {
  const char* name;
  Answer answer;
  ErrorCode code;
};

Answer timed_out() {
  return [](const SeenRequest&) {
    return Error{ErrorCode::upstream_timeout, "it did not answer in time", "try again"};
  };
}

}  // namespace

TEST_CASE("F9 only a refused grant needs a person, and then nothing more is sent",
          "[refresh][F9]") {
  const Refusal refusals[] = {
      {"invalid_grant", answers::oauth_error(400, "invalid_grant"), ErrorCode::attention_required},
      {"invalid_grant, 401", answers::oauth_error(401, "invalid_grant"),
       ErrorCode::attention_required},
      {"invalid_grant, 200", answers::oauth_error(200, "invalid_grant"),
       ErrorCode::attention_required},
      {"invalid_grant, 403", answers::oauth_error(403, "invalid_grant"),
       ErrorCode::attention_required},
      {"invalid_token, 401", answers::oauth_error(401, "invalid_token"),
       ErrorCode::attention_required},
      {"a suberror", answers::json(400, {{"error", "invalid_grant"}, {"suberror", "bad_token"}}),
       ErrorCode::attention_required},
      {"interaction_required", answers::oauth_error(400, "interaction_required"),
       ErrorCode::attention_required},
      {"login_required", answers::oauth_error(400, "login_required"),
       ErrorCode::attention_required},
      {"consent_required", answers::oauth_error(400, "consent_required"),
       ErrorCode::attention_required},
      {"mfa_required", answers::oauth_error(403, "mfa_required"), ErrorCode::attention_required},
      {"in words",
       answers::json(400, {{"error", "invalid_request"},
                           {"error_description", "This refresh token has been REVOKED."}}),
       ErrorCode::attention_required},
      {"access_denied, in words",
       answers::json(
           403, {{"error", "access_denied"}, {"error_description", "the user revoked access"}}),
       ErrorCode::attention_required},
      {"in words that are no OAuth error",
       answers::json(400, {{"message", "Token has been revoked"}}), ErrorCode::attention_required},
      {"in words beside the error",
       answers::json(400, {{"error", "bad_request"}, {"message", "Token has been revoked"}}),
       ErrorCode::attention_required},
      {"in words within the error",
       answers::json(400, {{"error", {{"message", "access was revoked by the user"}}}}),
       ErrorCode::attention_required},
      {"in plain text", answers::text(400, "text/plain; charset=utf-8", "Token has been revoked\n"),
       ErrorCode::attention_required},
      {"bad_refresh_token", answers::oauth_error(400, "bad_refresh_token"),
       ErrorCode::attention_required},
      {"refresh_token_expired", answers::oauth_error(400, "refresh_token_expired"),
       ErrorCode::attention_required}};
  for (const auto& refusal : refusals) {
    CAPTURE(refusal.name);
    TestHome home;
    const auto id = home.active_connection();
    home.clock().advance(3600);
    home.provider().always_answers(refusal.answer);
    const auto token = home.token(id);
    REQUIRE_FALSE(token);
    CHECK(token.error().code == refusal.code);
    CHECK(home.connection(id).status == "attention_required");
    // It is over for good, also when the provider would think better of it.
    home.provider().always_answers({});
    home.clock().advance(7200);
    CHECK_FALSE(home.token(id));
    CHECK_FALSE(home.refresh(id));
    CHECK(home.refresh_due() == 0);
    CHECK(home.provider().refreshes().size() == 1);
    // The provider is well; it is this one grant that is not.
    CHECK(home.health_of("acme")->healthy);
  }
}

TEST_CASE("F9 the person is told what the provider said, in its finer words", "[refresh][F9]") {
  TestHome home;
  const auto id = home.active_connection();
  home.provider().answers(answers::json(400, {{"error", "invalid_grant"},
                                              {"suberror", "user_password_expired"},
                                              {"error_description", "AADSTS50173"}}));
  const auto token = home.refresh(id);
  REQUIRE_FALSE(token);
  CHECK(token.error().message.find("invalid_grant, user_password_expired: AADSTS50173") !=
        std::string::npos);
  CHECK(token.error().hint == "run: nexus connect acme --replace " + id);
}

TEST_CASE("F9 what is revoked of a client, or said by a provider in trouble, ends no grant",
          "[refresh][F9]") {
  const auto said = [](int status, const char* code, const char* words) {
    return answers::json(status, {{"error", code}, {"error_description", words}});
  };
  TestHome home;
  const auto id = home.active_connection();
  for (const auto& answer :
       {said(401, "invalid_client", "the token endpoint's credentials were revoked"),
        said(400, "invalid_request", "this client's access was revoked"),
        said(503, "login_required", "the session was revoked"),
        said(429, "invalid_grant", "slow down")}) {
    home.clock().advance(3600);
    home.provider().answers(answer);
    REQUIRE_FALSE(home.token(id));
    CHECK(home.connection(id).status == "active");
    home.clock().advance(3600);
    CHECK(home.token(id));
  }
}

TEST_CASE("F9 a refusal without an OAuth error is told in the provider's words", "[refresh][F9]") {
  TestHome home;
  const auto id = home.active_connection();
  const auto token = home.stored(id, "refresh_token");
  const std::string words =
      "no\x1b[2J, " + token + " is too much for today " + std::string(9000, 'x');
  for (const auto& answer :
       {answers::json(400, {{"message", words}}),
        answers::json(403, {{"error", {{"message", words}}}}),
        answers::json(400, {{"error", true}, {"message", words}}),
        answers::json(422, {{"title", words}}), answers::text(400, "text/plain", words)}) {
    home.provider().answers(answer);
    const auto refused = home.refresh(id);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code != ErrorCode::attention_required);
    CHECK(refused.error().message.find("no?[2J, [redacted] is too much for today") !=
          std::string::npos);
    CHECK(refused.error().message.size() < 1000);
    CHECK(home.connection(id).status == "active");
  }
  // What stands in a page says nothing: it need not be the provider's.
  home.provider().answers(answers::text(400, "text/html", "<p>Token has been revoked"));
  const auto page = home.refresh(id);
  REQUIRE_FALSE(page);
  CHECK(page.error().message.find("revoked") == std::string::npos);
  CHECK(home.connection(id).status == "active");
}

TEST_CASE("F9 a refusal of a connection's refresh tells how it is connected anew in its place",
          "[refresh][F9]") {
  TestHome home;
  const auto id = home.active_connection();
  home.provider().answers(answers::oauth_error(400, "not_today"));
  const auto token = home.refresh(id);
  REQUIRE_FALSE(token);
  CHECK(token.error().hint == "start again: nexus connect acme --replace " + id);
}

TEST_CASE("F9 a person who is needed for a part is not needed for the rest", "[refresh][F9]") {
  TestHome home;
  const auto id = home.active_connection();
  home.provider().answers(answers::oauth_error(400, "interaction_required"));
  const auto narrow = home.downscoped_token(id, "read");
  REQUIRE_FALSE(narrow);
  CHECK(narrow.error().code == ErrorCode::scope_not_allowed);
  CHECK(home.connection(id).status == "active");
  CHECK(home.token(id));
}

TEST_CASE("F9 a hint names the provider that it is about", "[refresh][F9]") {
  TestHome home;
  const auto id = home.active_connection();
  for (const auto& answer :
       {answers::oauth_error(401, "invalid_client"), answers::oauth_error(400, "invalid_request"),
        answers::json(200, {{"access_token", "t"}})}) {
    home.provider().answers(answer);
    const auto token = home.refresh(id);
    REQUIRE_FALSE(token);
    CHECK(token.error().hint.find(" acme") != std::string::npos);
    CHECK(token.error().hint.find("PROVIDER") == std::string::npos);
  }
}

TEST_CASE("F9 a refused client is the operator's to mend: the token is kept and works after that",
          "[refresh][F9]") {
  TestHome home;
  const auto id = home.active_connection();
  for (const auto& [status, code] :
       {std::pair(401, "invalid_client"), std::pair(400, "invalid_client"),
        std::pair(400, "unauthorized_client"), std::pair(400, "unsupported_grant_type"),
        std::pair(400, "invalid_scope")}) {
    CAPTURE(status, code);
    home.clock().advance(3600);
    const auto refresh_token = home.stored(id, "refresh_token");
    home.provider().always_answers(answers::oauth_error(status, code));
    const auto token = home.token(id);
    REQUIRE_FALSE(token);
    CHECK(token.error().code == ErrorCode::provider_misconfigured);
    CHECK(home.connection(id).status == "active");
    CHECK(home.stored(id, "refresh_token") == refresh_token);
    CHECK_FALSE(home.health_of("acme")->healthy);
    // Mended: nobody has to wait for the back-off.
    home.provider().always_answers({});
    REQUIRE(home.edit_provider("acme", {{"client_secret", code + std::to_string(status)}}));
    CHECK(home.token(id));
    CHECK(home.connection(id).error_code.empty());
    CHECK(home.health_of("acme")->healthy);
  }
}

TEST_CASE("F9 whatever else goes wrong passes: the token is kept and tried again",
          "[refresh][F9]") {
  const Refusal refusals[] = {
      {"408", answers::unavailable(408), ErrorCode::upstream_error},
      {"429", answers::unavailable(429), ErrorCode::upstream_error},
      {"500", answers::unavailable(500), ErrorCode::upstream_error},
      {"502", answers::text(502, "text/html", "<h1>Bad Gateway"), ErrorCode::upstream_error},
      {"503", answers::unavailable(503), ErrorCode::upstream_error},
      {"no network", answers::unreachable(), ErrorCode::upstream_error},
      {"time-out", timed_out(), ErrorCode::upstream_timeout},
      {"another OAuth error", answers::oauth_error(400, "invalid_request"),
       ErrorCode::upstream_error},
      {"captive portal", answers::text(200, "text/html", "<form>"), ErrorCode::provider_protocol},
      {"firewall", answers::text(403, "text/html", "Forbidden"), ErrorCode::provider_protocol},
      {"no JSON", answers::text(200, "application/json", "{oops"), ErrorCode::provider_protocol},
      {"an empty 400", answers::text(400, "application/json", ""), ErrorCode::provider_protocol},
      {"invalid_grant in HTML", answers::text(400, "text/html", R"({"error":"invalid_grant"})"),
       ErrorCode::provider_protocol}};
  TestHome home;
  const auto id = home.active_connection();
  for (const auto& refusal : refusals) {
    CAPTURE(refusal.name);
    home.clock().advance(3600);
    const auto refresh_token = home.stored(id, "refresh_token");
    home.provider().answers(refusal.answer);
    const auto token = home.token(id);
    REQUIRE_FALSE(token);
    CHECK(token.error().code == refusal.code);
    CHECK(home.connection(id).status == "active");
    CHECK(home.stored(id, "refresh_token") == refresh_token);
    home.clock().advance(60);
    CHECK(home.token(id));
    CHECK(home.connection(id).failures == 0);
  }
  CHECK(home.told_of_attention().empty());
}
