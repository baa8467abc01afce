#include <algorithm>
#include <latch>
#include <set>
#include <thread>

#include "tests/support/catch.h"
#include "tests/support/store_rows.h"
#include "tests/support/test_home.h"

using namespace nexus;
using namespace nexus::test;

namespace {

PendingView started(TestHome& home, const WantedConnection& wanted = {}) {
  if (!home.find_provider(wanted.provider))
    REQUIRE(home.register_provider(provider_fields(wanted.provider)));
  auto pending = home.request(wanted);
  REQUIRE(pending);
  REQUIRE(pending->status == "pending");
  return *std::move(pending);
}

/// What was answered did not belong to an open flow.
bool is_refused(const Result<FlowEndView>& end) {
  return !end && end.error().code == ErrorCode::invalid_state;
}

}  // namespace

TEST_CASE("a consent makes its connection active, once", "[flows]") {
  TestHome home;
  const auto pending = started(home);
  const auto code = home.server().consent();
  const Fields query{{"code", code}, {"state", pending.state}};
  const auto end = home.answer(pending.redirect_uri, query);
  REQUIRE(end);
  CHECK(end->active);
  CHECK(end->connection_id == pending.id);
  CHECK(is_refused(home.answer(pending.redirect_uri, query)));
  CHECK(home.connection(pending.id).status == "active");
  CHECK(home.provider().requests().size() == 1);
}

TEST_CASE("a state that is not exactly right is refused, and harms nobody", "[flows]") {
  TestHome home;
  const auto pending = started(home);
  const auto other = started(home);
  const auto& state = pending.state;
  const auto dot = state.find('.');
  const std::string wrong[] = {"",
                               ".",
                               state.substr(0, state.size() - 1),
                               state.substr(0, dot),
                               state.substr(0, dot + 1),
                               state.substr(dot),
                               state + "A",
                               state + state,
                               " " + state,
                               state.substr(0, dot) + other.state.substr(dot),
                               other.state.substr(0, dot) + state.substr(dot),
                               std::string(600, 'a') + ".b"};
  for (const auto& text : wrong) {
    CAPTURE(text);
    CHECK(is_refused(home.answer(pending.redirect_uri, {{"code", "code-9"}, {"state", text}})));
    CHECK(is_refused(
        home.answer(pending.redirect_uri, {{"error", "access_denied"}, {"state", text}})));
  }
  CHECK(is_refused(home.answer(pending.redirect_uri, {{"code", "code-9"}})));
  CHECK(is_refused(home.answer(pending.redirect_uri, {{"error", "access_denied"}})));
  CHECK(home.provider().requests().empty());
  CHECK(home.audited("state_verification_failed") == 2 * std::size(wrong) + 2);
  CHECK(home.consent(pending)->active);
  CHECK(home.consent(other)->active);
}

TEST_CASE("an answer that came to another address is refused", "[flows]") {
  TestHome home;
  const auto pending = started(home);
  const auto other = started(home, {.provider = "other"});
  REQUIRE(pending.redirect_uri != other.redirect_uri);
  for (const auto& uri : {other.redirect_uri, std::string("http://127.0.0.1:8090/auth/callback"),
                          std::string("http://localhost:8090/auth/callback/acme")})
    CHECK(is_refused(home.answer(uri, {{"code", "code-1"}, {"state", pending.state}})));
  CHECK(home.provider().requests().empty());
  CHECK(home.consent(pending)->active);
}

TEST_CASE("a person has ten minutes to answer", "[flows]") {
  TestHome home;
  const auto in_time = started(home);
  home.clock().advance(1);
  const auto later = started(home);
  CHECK(later.expires_at == home.clock().now() + 600);
  home.clock().advance(599);
  CHECK(is_refused(home.consent(in_time)));
  CHECK(home.status_shown(in_time.id) == "failed");
  CHECK(home.consent(later)->active);
}

TEST_CASE("what nobody answered is swept, with its alias and its secrets", "[flows]") {
  TestHome home;
  const auto pending = started(home, {.alias = "mine"});
  REQUIRE(home.listened_on() == std::vector<std::string>{pending.redirect_uri});
  home.clock().advance(599);
  home.sweep_flows();
  CHECK(home.connection(pending.id).status == "pending");
  home.clock().advance(1);
  home.sweep_flows();
  CHECK(home.connection(pending.id).status == "failed");
  CHECK(fields_of(home.store(), pending.id).empty());
  CHECK(home.listened_on().empty());
  CHECK_FALSE(home.find("mine"));
  CHECK(home.request({.alias = "mine"}));
}

TEST_CASE("one answer that comes many times at once is used once", "[flows]") {
  TestHome home;
  const auto pending = started(home);
  const Fields query{{"code", home.server().consent()}, {"state", pending.state}};
  constexpr int kThreads = 8;
  std::latch begin_together(kThreads);
  std::atomic<int> active{0};
  std::atomic<int> refused{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i)
      threads.emplace_back([&] {
        begin_together.arrive_and_wait();
        const auto end = home.answer(pending.redirect_uri, query);
        if (end && end->active) ++active;
        if (is_refused(end)) ++refused;
      });
  }
  CHECK(active == 1);
  CHECK(refused == kThreads - 1);
  CHECK(home.provider().requests().size() == 1);
}

TEST_CASE("a person who says no ends the flow, and the application is told", "[flows]") {
  TestHome home;
  const auto pending = started(home, {.return_url = "https://app.example/back?x=1"});
  const auto end =
      home.answer(pending.redirect_uri,
                  {{"error", "access_denied"}, {"code", "code-1"}, {"state", pending.state}});
  REQUIRE(end);
  CHECK_FALSE(end->active);
  CHECK(end->denied);
  CHECK(end->redirect_to.starts_with("https://app.example/back?x=1&"));
  CHECK(end->redirect_to.find("connection_id=" + pending.id) != std::string::npos);
  CHECK(end->redirect_to.find("error=access_denied") != std::string::npos);
  CHECK(home.connection(pending.id).status == "failed");
  CHECK(home.connection(pending.id).error_code == "access_denied");
  CHECK(home.provider().requests().empty());
  CHECK(is_refused(home.consent(pending)));
}

TEST_CASE("an answer with the right state that cannot be used ends the flow, and says why",
          "[flows]") {
  const std::pair<Fields, const char*> all[] = {
      {{}, "neither a code nor an error"},
      {{{"code", ""}}, "neither a code nor an error"},
      {{{"code", "a"}, {"code", "b"}}, "gives code twice"},
      {{{"code", std::string(5000, 'c')}}, "code is malformed"},
      {{{"code", "\xef\xbf\xbd"}}, "code is malformed"},
      {{{"error", "x"}, {"error", "y"}}, "gives error twice"},
      {{{"code", "a"}, {"response", "jarm"}}, "was not asked for"},
      {{{"code", "a"}, {"iss", "https://evil.example"}}, "the issuer that was asked"}};
  for (const auto& [fields, why] : all) {
    CAPTURE(why);
    TestHome home;
    const auto pending = started(home, {.return_url = "https://app.example/back"});
    auto query = fields;
    query.emplace_back("state", pending.state);
    const auto end = home.answer(pending.redirect_uri, query);
    REQUIRE(end);
    CHECK_FALSE(end->active);
    CHECK(end->message.find(why) != std::string::npos);
    CHECK(end->redirect_to.find("error=invalid_response") != std::string::npos);
    CHECK(home.connection(pending.id).status == "failed");
    CHECK(home.connection(pending.id).error_message.find(why) != std::string::npos);
    CHECK(home.audited("state_verification_failed") == 1);
    CHECK(home.provider().requests().empty());
    CHECK(is_refused(home.consent(pending)));
  }
}

TEST_CASE("who asks later is told the mend as well, for this provider", "[flows]") {
  TestHome home;
  const auto nameless = started(home);
  const auto end =
      home.answer(nameless.redirect_uri,
                  {{"code", "a"}, {"iss", "https://as.example"}, {"state", nameless.state}});
  REQUIRE(end);
  CHECK(end->message.find("nexus provider") == std::string::npos);  // the page has it for itself
  CHECK(home.connection(nameless.id)
            .error_message.ends_with(
                "; where they belong together, give it: nexus provider edit acme --issuer URL"));

  const auto mistyped = started(home);
  home.provider().answers(answers::json(200, {{"access_token", "t"}}));
  REQUIRE(home.consent(mistyped));
  CHECK(home.connection(mistyped.id)
            .error_message.find("run: nexus provider edit acme --param token_type_optional=true") !=
        std::string::npos);

  // Beginning again is what everybody is told anyway.
  const auto refused = started(home);
  home.provider().answers(answers::oauth_error(400, "invalid_grant"));
  REQUIRE(home.consent(refused));
  CHECK(home.connection(refused.id).error_message.find("start again") == std::string::npos);
}

TEST_CASE("an error without a description is told in plain words", "[flows]") {
  for (const auto& [code, words] :
       {std::pair("server_error", "the provider has a fault of its own; try again later"),
        std::pair("temporarily_unavailable", "cannot answer for the moment; try again later"),
        std::pair("unauthorized_client", "does not let this client ask for consent"),
        std::pair("unsupported_response_type", "gives out no authorization codes"),
        std::pair("invalid_request", "finds a fault in the request"),
        std::pair("invalid_scope", "knows no such scope, or not for this client"),
        std::pair("login_required", "has to sign in"),
        std::pair("interaction_required", "was told not to"),
        std::pair("consent_required", "was told not to"),
        std::pair("account_selection_required", "has to choose an account"),
        std::pair("request_not_supported", "does not take the request object"),
        std::pair("odd_error", "the provider refused")}) {
    CAPTURE(code);
    TestHome home;
    const auto pending = started(home);
    const auto end = home.answer(pending.redirect_uri, {{"error", code}, {"state", pending.state}});
    REQUIRE(end);
    CHECK(end->message.find(words) != std::string::npos);
    CHECK(end->message.ends_with(" (" + std::string(code) + ")"));
    CHECK(home.connection(pending.id).error_message == end->message);
    CHECK(home.connection(pending.id).error_code == code);
  }
  TestHome home;
  const auto pending = started(home);
  const auto end = home.answer(pending.redirect_uri, {{"error", "server_error"},
                                                      {"error_description", "out of coffee"},
                                                      {"state", pending.state}});
  REQUIRE(end);
  CHECK(end->message == "out of coffee");
}

TEST_CASE("what is brought by hand and cannot be used can be brought again", "[flows]") {
  TestHome home;
  const auto pending = started(home, {.pasted = true});
  CHECK(is_refused(home.answer(pending.redirect_uri, {{"state", pending.state}})));
  CHECK(home.consent(pending)->active);
}

TEST_CASE("of two states nobody can say whose answer it is", "[flows]") {
  TestHome home;
  const auto pending = started(home);
  CHECK(is_refused(home.answer(
      pending.redirect_uri, {{"code", "a"}, {"state", pending.state}, {"state", pending.state}})));
  CHECK(home.consent(pending)->active);
}

TEST_CASE("an answer names its issuer where the provider promised that it would", "[flows]") {
  for (const auto* iss :
       {"https://acme.example/", "https://ACME.example", "https://evil.example", "", "(none)"}) {
    CAPTURE(iss);
    TestHome home;
    home.server().behave({.sends_iss = true});
    REQUIRE(home.register_provider(openid_fields()));
    for (const auto* what : {"code", "error"}) {
      const auto pending = started(home);
      Fields query{{what, "access_denied"}, {"state", pending.state}};
      if (iss != std::string("(none)")) query.emplace_back("iss", iss);
      const auto end = home.answer(pending.redirect_uri, query);
      REQUIRE(end);
      CHECK_FALSE(end->denied);
      CHECK(home.connection(pending.id).error_code == "invalid_response");
    }
    CHECK(home.provider().requests().empty());
  }
}

TEST_CASE("a code is sent once, whatever becomes of the answer", "[flows]") {
  for (const auto& answer :
       {answers::lost(), answers::unavailable(500), answers::unavailable(429, "1"),
        answers::unreachable(), answers::text(200, "text/html", "<p>"),
        answers::oauth_error(400, "invalid_grant"), answers::oauth_error(401, "invalid_client")}) {
    TestHome home;
    const auto pending = started(home, {.alias = "mine"});
    home.provider().answers(answer);
    const auto end = home.consent(pending);
    REQUIRE(end);
    CHECK_FALSE(end->active);
    CHECK_FALSE(end->message.empty());
    CHECK(home.connection(pending.id).status == "failed");
    CHECK(home.connection(pending.id).alias.empty());
    CHECK(fields_of(home.store(), pending.id).empty());
    CHECK(is_refused(home.consent(pending)));
    CHECK(home.provider().requests().size() == 1);
  }
}

TEST_CASE("a daemon that starts again listens for the flows that wait", "[flows]") {
  TestHome home;
  const auto pending = started(home);
  home.reopen();
  CHECK(home.listened_on() == std::vector<std::string>{pending.redirect_uri});
  CHECK(home.consent(pending)->active);
  home.sweep_flows();
  CHECK(home.listened_on().empty());
}

TEST_CASE("a flow uses the endpoints that were true when it began", "[flows]") {
  TestHome home;
  const auto pending = started(home);
  REQUIRE(home.edit_provider("acme", {{"token_url", "https://evil.example/token"}}));
  const auto end = home.consent(pending);
  REQUIRE(end);
  REQUIRE(home.provider().requests().size() == 1);
  CHECK(home.provider().requests()[0].host == "acme.example");
}

TEST_CASE("where the port is taken a flow does not begin, unless any port will do", "[flows]") {
  TestHome home;
  home.take_port();
  REQUIRE(home.register_provider());
  const auto refused = home.request({.alias = "mine"});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::callback_unavailable);
  CHECK(refused.error().hint.find("--paste") != std::string::npos);
  CHECK(home.store().connections({.pending = true})->empty());

  auto fields = provider_fields("native");
  fields["params"]["any_loopback_port"] = true;
  REQUIRE(home.register_provider(fields));
  const auto pending = started(home, {.provider = "native"});
  CHECK(pending.redirect_uri == "http://127.0.0.1:49152/auth/callback/native");
  CHECK(home.consent(pending)->active);
}

TEST_CASE("for an answer that is brought by hand nobody listens", "[flows]") {
  TestHome home;
  home.take_port();
  const auto pending = started(home, {.pasted = true});
  CHECK(home.listened_on().empty());
  CHECK(home.consent(pending)->active);
}

TEST_CASE("no two flows share anything that is secret", "[flows]") {
  TestHome home;
  std::set<std::string> states;
  std::set<std::string> verifiers;
  for (int i = 0; i < 20; ++i) {
    const auto pending = started(home);
    states.insert(pending.state);
    verifiers.insert(home.stored(pending.id, "code_verifier"));
    CHECK(pending.url.find(home.stored(pending.id, "code_verifier")) == std::string::npos);
  }
  CHECK(states.size() == 20);
  CHECK(verifiers.size() == 20);
}

TEST_CASE("consent by another person than the connection to replace has is refused", "[flows]") {
  TestHome home;
  REQUIRE(home.register_provider(openid_fields()));
  const auto id = home.active_connection({.alias = "mine"});
  home.server().behave({.subject = "mallory"});
  const auto pending = started(home, {.replaces = id});
  const auto end = home.consent(pending);
  REQUIRE(end);
  CHECK_FALSE(end->active);
  CHECK(home.find("mine")->id == id);
  CHECK(home.token(id)->access_token == "at-1");
}
