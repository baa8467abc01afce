// Many callers, one refresh; and what happens beside it: the rules F3, F4, F5, F17 and F21.
#include <algorithm>
#include <thread>

#include "daemon/process.h"
#include "tests/support/catch.h"
#include "tests/support/store_rows.h"
#include "tests/support/test_home.h"

using namespace nexus;
using namespace nexus::test;

namespace {

std::vector<std::string> tokens_to_forget(TestHome& home) {
  std::vector<std::string> tokens;
  for (const auto& request : home.provider().requests("/revoke"))
    tokens.push_back(request["token"]);
  return tokens;
}

bool contains(const std::vector<std::string>& list, const std::string& what) {
  return std::find(list.begin(), list.end(), what) != list.end();
}

}  // namespace

TEST_CASE("F3 whoever asks, from however many threads, one request is made and all get its result",
          "[refresh][F3]") {
  TestHome home;
  const auto id = home.active_connection();
  home.clock().advance(3600);
  home.provider().hold();
  std::vector<std::future<TestHome::TokenResult>> callers(50);
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < 5; ++t)
      threads.emplace_back([&, t] {
        for (std::size_t i = 0; i < 10; ++i) callers[t * 10 + i] = home.token_later(id);
      });
  }
  callers.push_back(home.refresh_later(id));
  REQUIRE(home.provider().sees_refreshes(1));
  auto background = std::async(std::launch::async, [&] { return home.refresh_due(); });
  home.provider().release();
  std::size_t served = 0;
  for (auto& caller : callers) {
    const auto token = arrived(std::move(caller));
    if (token && token->access_token == "at-2") ++served;
  }
  arrived(std::move(background));
  CHECK(served == callers.size());
  CHECK(home.provider().refreshes().size() == 1);
}

TEST_CASE("F3 connections do not wait for each other", "[refresh][F3]") {
  TestHome home;
  const auto slow = home.active_connection();
  const auto quick = home.active_connection({.provider = "other"});
  home.clock().advance(3600);
  home.provider().hold("acme.example");
  auto waiting = home.token_later(slow);
  REQUIRE(home.provider().sees_refreshes(1));
  CHECK(home.token(quick));
  home.provider().release();
  CHECK(arrived(std::move(waiting)));
}

TEST_CASE("F4 a caller that leaves neither cancels the refresh nor loses its result",
          "[refresh][F4]") {
  TestHome home;
  const auto id = home.active_connection();
  home.clock().advance(3600);
  home.provider().hold();
  { const auto leaves = home.token_later(id); }
  REQUIRE(home.provider().sees_refreshes(1));
  home.provider().release();
  CHECK(home.eventually([&] { return home.stored(id, "refresh_token") == "rt-2"; }));
  const auto token = home.token(id);
  REQUIRE(token);
  CHECK(token->access_token == "at-2");
  CHECK(home.provider().refreshes().size() == 1);
}

// That a second process ends with an error, and that the command line never refreshes on its own,
// is shown end to end. Here: the lock that keeps a second daemon away from the same directory.
TEST_CASE("F5 a data directory has one daemon at a time", "[refresh][F5]") {
  TestHome home;
  const auto second = lock_data_dir(home.directory());
  REQUIRE_FALSE(second);
  CHECK(second.error().message.find("another nexusd") != std::string::npos);
  // The next one gets it when this one has ended.
  CHECK_NOTHROW(home.reopen());
  CHECK_FALSE(lock_data_dir(home.directory()));
}

TEST_CASE("F17 of many tokens that expire at once few go to one host at a time", "[refresh][F17]") {
  TestHome home;
  constexpr std::size_t kMany = 12;
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < kMany; ++i) ids.push_back(home.active_connection());
  const auto other = home.active_connection({.provider = "other"});
  home.clock().advance(3600);
  const auto lasting = home.active_connection();
  home.provider().hold("acme.example");
  std::vector<std::future<TestHome::TokenResult>> callers;
  for (const auto& id : ids) callers.push_back(home.token_later(id));
  REQUIRE(home.provider().sees_refreshes(4));
  // Another host is asked meanwhile, and a token that is good is handed out at once.
  CHECK(home.token(other));
  CHECK(home.token_later(lasting).wait_for(std::chrono::seconds(0)) == std::future_status::ready);
  home.provider().release();
  for (auto& caller : callers) CHECK(arrived(std::move(caller)));
  CHECK(home.provider().most_at_once("acme.example") == 4);
  CHECK(home.provider().refreshes().size() == kMany + 1);
}

TEST_CASE(
    "F21 a token that comes for a connection which was disconnected meanwhile is discarded "
    "and revoked",
    "[refresh][F21]") {
  TestHome home;
  const auto id = home.active_connection();
  home.clock().advance(3600);
  home.provider().hold();
  home.provider().answers(answers::json(200, {{"access_token", "at-late"},
                                              {"refresh_token", "rt-late"},
                                              {"token_type", "Bearer"},
                                              {"expires_in", 3600}}));
  auto caller = home.token_later(id);
  REQUIRE(home.provider().sees_refreshes(1));
  const auto report = home.disconnect(id);
  REQUIRE(report);
  CHECK(report->revoked_at_provider);
  CHECK(contains(tokens_to_forget(home), "rt-1"));
  home.provider().release();
  const auto token = arrived(std::move(caller));
  REQUIRE_FALSE(token);
  CHECK(token.error().code == ErrorCode::connection_revoked);
  CHECK(contains(tokens_to_forget(home), "rt-late"));
  CHECK(fields_of(home.store(), id).empty());
  CHECK(home.connection(id).status == "revoked");
}

TEST_CASE("F21 where the provider is in trouble then, it is asked again until it forgets the token",
          "[refresh][F21]") {
  TestHome home;
  const auto id = home.active_connection();
  home.clock().advance(3600);
  home.provider().hold();
  home.provider().answers(answers::json(200, {{"access_token", "at-late"},
                                              {"refresh_token", "rt-late"},
                                              {"token_type", "Bearer"},
                                              {"expires_in", 3600}}));
  auto caller = home.token_later(id);
  REQUIRE(home.provider().sees_refreshes(1));
  REQUIRE(home.disconnect(id));
  home.provider().always_answers(answers::unavailable(503), "/revoke");
  home.provider().release();
  REQUIRE_FALSE(arrived(std::move(caller)));
  CHECK(home.stored(id, "refresh_token") == "rt-late");
  CHECK_FALSE(home.token(id));

  home.reopen();
  home.provider().always_answers({}, "/revoke");
  home.clock().advance(60);
  home.revoke_due();
  CHECK(contains(tokens_to_forget(home), "rt-late"));
  CHECK(tokens_to_forget(home).back() == "at-late");
  CHECK(fields_of(home.store(), id).empty());
}

TEST_CASE("F21 an access token that comes alone is revoked as well", "[refresh][F21]") {
  struct Case {
    const char* name;
    const char* grant;
    const char* scopes;
  };
  for (const auto& [name, grant, scopes] :
       {Case{"for all", "authorization_code", ""}, Case{"for a part", "authorization_code", "read"},
        Case{"of the client", "client_credentials", ""}}) {
    CAPTURE(name);
    TestHome home;
    auto fields = provider_fields();
    fields["grant_type"] = grant;
    REQUIRE(home.register_provider(fields));
    const auto id = home.active_connection();
    home.clock().advance(3600);
    home.provider().answers(
        answers::json(200, {{"access_token", "at-late"}, {"token_type", "Bearer"}}));
    home.provider().on_the_way([&](const SeenRequest&) { REQUIRE(home.disconnect(id)); });
    const auto token = *scopes ? home.downscoped_token(id, scopes) : home.token(id);
    CHECK_FALSE(token);
    CHECK(tokens_to_forget(home).back() == "at-late");
    CHECK(fields_of(home.store(), id).empty());
    CHECK(home.connection(id).status == "revoked");
  }
}

TEST_CASE(
    "F21 tokens that come late for a grant that was kept are not revoked, and not kept either",
    "[refresh][F21]") {
  TestHome home;
  const auto id = home.active_connection();
  home.clock().advance(3600);
  home.provider().on_the_way([&](const SeenRequest&) { REQUIRE(home.disconnect(id, true)); });
  const auto token = home.token(id);
  REQUIRE_FALSE(token);
  CHECK(token.error().code == ErrorCode::connection_revoked);
  CHECK(tokens_to_forget(home).empty());
  CHECK(fields_of(home.store(), id).empty());
  home.reopen();
  home.clock().advance(3600);
  home.revoke_due();
  CHECK(tokens_to_forget(home).empty());
}

TEST_CASE(
    "F21 tokens that come late for a connection that was replaced leave its successor's grant",
    "[refresh][F21]") {
  TestHome home;
  const auto id = home.active_connection();
  home.clock().advance(3600);
  std::string successor;
  home.provider().on_the_way([&](const SeenRequest&) {
    home.provider().on_the_way({});
    successor = home.active_connection({.replaces = id});
  });
  CHECK_FALSE(home.token(id));
  CHECK(home.connection(id).status == "revoked");
  CHECK(tokens_to_forget(home).empty());
  CHECK(home.token(successor));
}

TEST_CASE("F21 a late access token that the provider does not revoke leaves the grant revoked",
          "[refresh][F21]") {
  TestHome home;
  const auto id = home.active_connection();
  home.clock().advance(3600);
  home.provider().answers(
      answers::json(200, {{"access_token", "at-late"}, {"token_type", "Bearer"}}));
  home.provider().on_the_way([&](const SeenRequest&) {
    REQUIRE(home.disconnect(id));
    home.provider().always_answers(answers::oauth_error(400, "unsupported_token_type"), "/revoke");
  });
  CHECK_FALSE(home.token(id));
  CHECK(tokens_to_forget(home).back() == "at-late");
  CHECK(home.disconnect(id)->revoked_at_provider);
}

TEST_CASE(
    "a connection that an edit of its provider takes out of service stays so, whatever was under "
    "way",
    "[refresh]") {
  TestHome home;
  const auto id = home.active_connection();
  home.clock().advance(3600);
  home.provider().on_the_way([&](const SeenRequest&) {
    REQUIRE(home.edit_provider("acme", {{"token_url", "https://elsewhere.example/token"}}));
  });
  const auto token = home.token(id);
  REQUIRE_FALSE(token);
  CHECK(token.error().code == ErrorCode::attention_required);
  CHECK(home.connection(id).status == "attention_required");
  CHECK(home.connection(id).error_code == "provider_changed");
  // What came is kept all the same: disconnecting revokes it.
  home.provider().on_the_way({});
  REQUIRE(home.disconnect(id));
  CHECK(tokens_to_forget(home).front() == "rt-2");
}
