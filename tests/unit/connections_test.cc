#include <algorithm>

#include "tests/support/catch.h"
#include "tests/support/store_rows.h"
#include "tests/support/test_home.h"

using namespace nexus;
using namespace nexus::test;

TEST_CASE("a request that cannot be met is refused before anything is stored", "[connections]") {
  TestHome home;
  REQUIRE(home.register_provider());
  const std::pair<WantedConnection, ErrorCode> refused[] = {
      {{.provider = "nobody"}, ErrorCode::provider_not_found},
      {{.return_url = "ftp://app.example"}, ErrorCode::return_url_not_allowed},
      {{.return_url = "http://app.example"}, ErrorCode::return_url_not_allowed},
      {{.scopes = {"read write"}}, ErrorCode::invalid_field},
      {{.scopes = {""}}, ErrorCode::invalid_field},
      {{.scopes = {"openid"}}, ErrorCode::provider_misconfigured}};
  for (const auto& [wanted, code] : refused) {
    const auto request = home.request(wanted);
    REQUIRE_FALSE(request);
    CHECK(request.error().code == code);
  }
  CHECK(home.store().connections({.pending = true})->empty());
  CHECK(home.audited("connection.created") == 0);
}

TEST_CASE("a grant from elsewhere is adopted by using it once", "[connections]") {
  TestHome home;
  REQUIRE(home.register_provider());
  const auto adopted = home.adopt(home.server().grant_elsewhere(), {.alias = "mine"});
  REQUIRE(adopted);
  CHECK(adopted->status == "active");
  CHECK(home.token(adopted->id)->access_token == "at-1");
  CHECK(home.stored(adopted->id, "refresh_token") == "rt-2");
  CHECK(home.provider().refreshes().size() == 1);
  CHECK(home.refresh(adopted->id));
}

TEST_CASE("an adopted grant that is not rotated keeps the token it came with", "[connections]") {
  TestHome home;
  home.server().behave({.rotates = false});
  REQUIRE(home.register_provider());
  const auto adopted = home.adopt(home.server().grant_elsewhere());
  REQUIRE(adopted);
  CHECK(home.stored(adopted->id, "refresh_token") == "rt-1");
}

TEST_CASE("a grant that the provider does not take is not adopted", "[connections]") {
  TestHome home;
  REQUIRE(home.register_provider());
  const auto adopted = home.adopt("rt-of-somebody", {.alias = "mine"});
  REQUIRE_FALSE(adopted);
  CHECK(adopted.error().code == ErrorCode::provider_rejected);
  CHECK(adopted.error().message.find("rt-of-somebody") == std::string::npos);
  CHECK(home.active_connection({.alias = "mine"}) != "");
}

TEST_CASE("a disconnection ends the grant here and at the provider, once", "[connections]") {
  TestHome home;
  const auto id = home.active_connection({.alias = "mine"});
  const auto report = home.disconnect(id);
  REQUIRE(report);
  CHECK_FALSE(report->already_revoked);
  CHECK(report->revoked_at_provider);
  CHECK_FALSE(home.server().takes("rt-1"));
  CHECK(fields_of(home.store(), id).empty());
  CHECK(home.list().empty());
  CHECK(home.audited("connection.revoked") == 1);
  const auto asked = home.provider().requests("/revoke").size();
  const auto again = home.disconnect(id);
  REQUIRE(again);
  CHECK(again->already_revoked);
  CHECK(again->revoked_at_provider);
  CHECK(home.provider().requests("/revoke").size() == asked);
}

TEST_CASE("a grant can be kept at the provider", "[connections]") {
  TestHome home;
  const auto id = home.active_connection();
  const auto report = home.disconnect(id, true);
  REQUIRE(report);
  CHECK_FALSE(report->revoked_at_provider);
  CHECK_FALSE(report->pending_at_provider);
  CHECK(home.server().takes("rt-1"));
  CHECK(fields_of(home.store(), id).empty());
  CHECK(home.provider().requests("/revoke").empty());
}

TEST_CASE("a provider in trouble is asked again to forget, for a week", "[connections]") {
  TestHome home;
  const auto id = home.active_connection();
  home.provider().always_answers(answers::unavailable(503, "100"), "/revoke");
  const auto report = home.disconnect(id);
  REQUIRE(report);
  CHECK(report->pending_at_provider);
  CHECK(home.token(id).error().code == ErrorCode::connection_revoked);
  const auto asked = [&] { return home.provider().requests("/revoke").size(); };
  CHECK(asked() == 1);
  home.clock().advance(99);
  home.revoke_due();
  CHECK(asked() == 1);
  home.clock().advance(1);
  home.revoke_due();
  CHECK(asked() == 2);
  CHECK_FALSE(fields_of(home.store(), id).empty());
  home.clock().advance(7 * 86'400);
  home.revoke_due();
  CHECK(fields_of(home.store(), id).empty());
  CHECK(home.audited("grant_not_revoked") == 1);
  home.clock().advance(86'400);
  home.revoke_due();
  CHECK(asked() == 3);
}

TEST_CASE("connections with a provider that was removed go on", "[connections]") {
  TestHome home;
  const auto id = home.active_connection();
  REQUIRE(home.remove_provider("acme"));
  CHECK_FALSE(home.request());
  home.clock().advance(3600);
  CHECK(home.token(id)->access_token == "at-2");
  CHECK(home.disconnect(id)->revoked_at_provider);
}

TEST_CASE("every change of a connection is on record", "[connections]") {
  TestHome home;
  const auto id = home.active_connection();
  REQUIRE(home.set_alias(id, "mine"));
  REQUIRE(home.refresh(id));
  REQUIRE(home.disconnect(id));
  CHECK(home.audit() == std::vector<std::string>{"provider.created", "connection.created",
                                                 "oauth_flow_completed", "connection.updated",
                                                 "token_refreshed", "connection.revoked"});
}
