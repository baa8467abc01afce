#include "common/api/audit_record.h"
#include "common/api/capture.h"
#include "common/api/connection.h"
#include "common/api/connection_request.h"
#include "common/api/daemon_status.h"
#include "common/api/key.h"
#include "common/api/provider.h"
#include "common/api/provider_plan.h"
#include "common/api/token_payload.h"
#include "tests/support/catch.h"

using namespace nexus;

// What nexusd writes of a resource is what nexus reads of it.

namespace {

/// Written, read and written again: the same.
template <class Resource>
Resource there_and_back(const Resource& resource) {
  const auto json = api::to_json(resource);
  const auto read = api::parse<Resource>(json);
  REQUIRE(read);
  CHECK(api::to_json(*read) == json);
  return *read;
}

api::Connection connection() {
  api::Connection c;
  c.id = "conn_1";
  c.alias = "work";
  c.provider = "google";
  c.provider_id = "p1";
  c.auth_type = AuthType::header;
  c.workspace = "w";
  c.account = "alice@example.com";
  c.status = ConnectionStatus::attention_required;
  c.scopes = {"openid", "email"};
  c.created_at = 1000;
  c.updated_at = 2000;
  c.expires_at = 3000;
  c.error_code = "invalid_grant";
  c.error_message = "the provider says \"no\"";
  return c;
}

}  // namespace

TEST_CASE("a connection is read as it was written", "[api]") {
  const auto read = there_and_back(connection());
  CHECK(read.auth_type == AuthType::header);
  CHECK(read.status == ConnectionStatus::attention_required);
  CHECK(read.expires_at == 3000);
  CHECK_FALSE(read.last_refresh_at);
  CHECK(read.error_message == "the provider says \"no\"");
  const auto list = api::parse_list<api::Connection>(api::to_json(std::vector{connection()}));
  REQUIRE(list);
  CHECK(list->size() == 1);
}

TEST_CASE("an answer that is not known is an error, members that are missing are not", "[api]") {
  for (const auto* json : {"", "[]", "null", "{", "{}", R"({"connection_id":"c","status":"odd"})"})
    CHECK_FALSE(api::parse<api::Connection>(json));
  CHECK_FALSE(api::parse_list<api::Connection>("{}"));
  CHECK_FALSE(api::parse_list<api::Connection>("[1]"));
  const auto read = api::parse<api::Connection>(
      R"({"connection_id":"c","status":"active","scopes":7,"expires_at":"soon","new":{}})");
  REQUIRE(read);
  CHECK(read->scopes.empty());
  CHECK_FALSE(read->expires_at);
}

TEST_CASE("what starts, checks and ends a connection is read as it was written", "[api]") {
  there_and_back(api::ConnectionCheck{"conn_1", ConnectionStatus::failed, "revoked"});
  api::StartedConnection started{.connection_id = "conn_1",
                                 .status = ConnectionStatus::pending,
                                 .auth_url = "https://as.example/?a=b",
                                 .state = "s",
                                 .scopes = {"a"},
                                 .provider_id = "p",
                                 .expires_at = 7,
                                 .device = {}};
  CHECK_FALSE(there_and_back(started).device);
  started.device = api::DevicePrompt{"ABCD", "https://as.example/device", ""};
  CHECK(there_and_back(started).device->user_code == "ABCD");
  const auto ended =
      there_and_back(api::Disconnection{"conn_1", "google", 1000, true, false, true, "later"});
  CHECK(ended.provider_revocation_pending);
  CHECK(ended.revoked_at == 1000);
}

TEST_CASE("a request for a connection is read as it was written", "[api]") {
  const api::ConnectionRequest request{.workspace = "w",
                                       .provider_name = "google",
                                       .provider_id = {},
                                       .scopes = {"a", "b"},
                                       .return_url = "https://app.example/",
                                       .alias = "work",
                                       .replaces = "conn_2",
                                       .pasted = true,
                                       .device = false,
                                       .params = {{"login_hint", "a&b"}}};
  const auto fields = JsonFields::parse(api::to_json(request));
  REQUIRE(fields);
  const auto read = api::read_connection_request(*fields);
  REQUIRE(read);
  CHECK(api::to_json(*read) == api::to_json(request));
  CHECK(read->pasted);
  const auto other = JsonFields::parse(R"({"user_id":"u","provider_id":"p"})");
  CHECK(api::read_workspace(*other).operator*() == "u");
  CHECK(api::read_connection_request(*JsonFields::parse("{}")).error().code ==
        ErrorCode::missing_fields);
  CHECK(api::read_connection_request(*JsonFields::parse(R"({"provider_id":1})")).error().field ==
        "provider_id");
}

TEST_CASE("providers, plans, keys, records and the daemon are read as they were written", "[api]") {
  api::Provider provider;
  provider.id = "p1";
  provider.name = "google";
  provider.enable_discovery = false;
  provider.params = {{"catalog_entry", "\"google\""}, {"token_params", "{\"a\":\"b\"}"}};
  provider.public_jwk = "{\"kty\":\"EC\"}";
  provider.auth_header = "private_key_jwt";
  const auto read = there_and_back(provider);
  CHECK(read.catalogue_entry() == "google");
  CHECK(read.needs_redirect());
  CHECK(read.has_key_to_register());

  there_and_back(api::ProviderTest{"google", {{"token endpoint", false, "no answer", "wait"}}});
  api::ProviderPlan plan;
  plan.changes.push_back(
      {PlanAction::update, "google", {{"scopes", "null", "[\"a\"]"}}, "people are needed"});
  Error error{ErrorCode::invalid_field, "m", "h"};
  error.field = "params.pkce";
  plan.problems.push_back({3, "odd", error});
  const auto planned = there_and_back(plan);
  CHECK(planned.count(PlanAction::update) == 1);
  CHECK(planned.problems[0].error.field == "params.pkce");

  there_and_back(api::Key{.id = "k",
                          .name = "ci",
                          .use = {"all"},
                          .forward = {"workspace:w"},
                          .read = {"provider:google"},
                          .rules = {"allow * /**"},
                          .created_at = 5,
                          .expires_at = 9,
                          .last_used_at = 7,
                          .key = "nxk_x"});
  there_and_back(api::Key{.id = "API_KEY#1",
                          .name = "API_KEY#1",
                          .admin = true,
                          .variable = "API_KEY",
                          .last_used_at = 7});
  const auto record = there_and_back(
      api::AuditRecord{.sequence = 7,
                       .event = "token_retrieved",
                       .connection_id = "",
                       .address = "",
                       .agent = "curl",
                       .created_at = "2026-01-01T00:00:00Z",
                       .data = R"({"outcome":"success","via":"control_socket","pid":12})"});
  CHECK(record.outcome == "success");
  there_and_back(api::AuditRecord{.sequence = 8, .event = "token_retrieved", .data = ""});
  CHECK(record.pid == 12);

  api::DaemonStatus status;
  status.pid = 1;
  status.connections = {1, 2, 3, 4};
  CHECK(there_and_back(status).connections[3] == 4);
}

TEST_CASE("what a capture asks for comes in the order of what is required", "[api]") {
  const auto schema = api::parse<api::CaptureSchema>(R"({"required":["z","b"],"properties":{
      "a":{"type":"boolean"},"b":{"format":"password"},"z":{"title":"Zone","enum":["eu","us"]}}})");
  REQUIRE(schema);
  REQUIRE(schema->fields.size() == 3);
  CHECK(schema->fields[0].title == "Zone");
  CHECK(schema->fields[0].choices == std::vector<std::string>{"eu", "us"});
  CHECK(schema->fields[1].secret);
  CHECK(schema->fields[2].yes_or_no);
  CHECK_FALSE(schema->fields[2].required);
}

TEST_CASE("a token payload gives its fields, whatever it holds", "[api]") {
  const api::TokenPayload payload(
      R"({"strategy":{"type":"header","config":{"header_name":"X-Key","n":1}},
          "credentials":{"api_key":"k\"1","port":8080},"expires_at":5,
          "token_fields":{"team.id":"T","rate":1.5,"ok":true}})");
  CHECK(payload.strategy() == "header");
  CHECK(payload.config("header_name") == "X-Key");
  CHECK(payload.config("n").empty());
  CHECK(std::string_view(*payload.credential("api_key")) == "k\"1");
  CHECK(std::string_view(*payload.credential("port")) == "8080");
  CHECK(std::string_view(*payload.member("expires_at")) == "5");
  CHECK_FALSE(payload.member("strategy"));
  CHECK(std::string_view(*payload.token_field("team.id")) == "T");
  CHECK(std::string_view(*payload.token_field("rate")) == "1.5");
  CHECK(std::string_view(*payload.token_field("ok")) == "true");
  CHECK_FALSE(payload.token_field("api_key"));
  for (const auto* odd : {"", "[]", "{", "{}", R"({"strategy":1,"credentials":2})"}) {
    const api::TokenPayload nothing(odd);
    CHECK(nothing.strategy().empty());
    CHECK(nothing.fields().empty());
    CHECK_FALSE(nothing.credential("x"));
    CHECK_FALSE(nothing.token_field("x"));
  }
  CHECK(std::string_view(*api::access_token_in(R"({"access_token":"a\"b\\c"})")) == "a\"b\\c");
  CHECK_FALSE(api::access_token_in(R"({"access_token":"a\)"));
}
