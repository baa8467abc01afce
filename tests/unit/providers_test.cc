#include "tests/support/catch.h"
#include "tests/support/test_home.h"

using namespace nexus;
using namespace nexus::test;
using Json = nlohmann::json;

namespace {

Json changed(Json fields, const Json& changes) {
  fields.update(changes);
  return fields;
}

}  // namespace

TEST_CASE("a provider is registered once under its name", "[providers]") {
  TestHome home;
  const auto registered = home.register_provider();
  REQUIRE(registered);
  CHECK(registered->name == "acme");
  CHECK(registered->client_id == "client-1");
  CHECK(home.find_provider("ACME")->id == registered->id);
  CHECK(home.find_provider("other").error().code == ErrorCode::provider_not_found);
  const auto again = home.register_provider();
  REQUIRE_FALSE(again);
  CHECK(again.error().code == ErrorCode::provider_exists);
  home.reopen();
  CHECK(home.find_provider("acme")->id == registered->id);
  CHECK(home.provider_names() == std::vector<std::string>{"acme"});
}

TEST_CASE("a registration that cannot work is refused and leaves nothing", "[providers]") {
  TestHome home;
  const auto fields = provider_fields();
  const std::pair<Json, ErrorCode> refused[] = {
      {{{"name", ""}}, ErrorCode::missing_fields},
      {{{"name", "a b"}}, ErrorCode::invalid_field},
      {{{"name", "Acme"}}, ErrorCode::invalid_field},
      {{{"name", std::string(65, 'a')}}, ErrorCode::invalid_field},
      {{{"name", 7}}, ErrorCode::invalid_field},
      {{{"client_id", ""}}, ErrorCode::missing_fields},
      {{{"auth_type", "saml"}}, ErrorCode::unsupported_auth_type},
      {{{"auth_url", ""}}, ErrorCode::missing_fields},
      {{{"token_url", "http://acme.example/token"}}, ErrorCode::invalid_field},
      {{{"token_url", "https://user:pw@acme.example/token"}}, ErrorCode::invalid_field},
      {{{"grant_type", "password"}}, ErrorCode::invalid_field},
      {{{"auth_header", "none"}}, ErrorCode::invalid_field},
      {{{"scopes", {"a b"}}}, ErrorCode::invalid_field},
      {{{"client_secret", "two\nlines"}}, ErrorCode::invalid_field},
      {{{"redirect_host", "evil.example"}}, ErrorCode::invalid_field}};
  for (const auto& [changes, code] : refused) {
    CAPTURE(changes.dump());
    const auto registered = home.register_provider(changed(fields, changes));
    REQUIRE_FALSE(registered);
    CHECK(registered.error().code == code);
    CHECK(registered.error().message.find("s3cret") == std::string::npos);
  }
  CHECK(home.provider_names().empty());
  CHECK(home.audit().empty());
}

TEST_CASE("replacing a provider keeps its id, and its connections where nothing moved",
          "[providers]") {
  TestHome home;
  const auto id = home.active_connection();
  const auto before = home.find_provider("acme");
  const auto after = home.register_provider(
      changed(provider_fields(), {{"replace", true}, {"description", "new"}}));
  REQUIRE(after);
  CHECK(after->id == before->id);
  CHECK(after->description == "new");
  CHECK(home.connection(id).status == "active");
  CHECK(home.audited("provider.updated") == 1);
}

TEST_CASE("where a provider's tokens would go elsewhere, its connections need a person",
          "[providers]") {
  for (const auto& changes :
       {Json{{"token_url", "https://evil.example/token"}}, Json{{"client_id", "client-2"}},
        Json{{"grant_type", "device_code"},
             {"params", {{"device_authorization_endpoint", "https://acme.example/device"}}}}}) {
    CAPTURE(changes.dump());
    TestHome home;
    const auto id = home.active_connection();
    const auto other = home.active_connection({.provider = "other"});
    REQUIRE(home.edit_provider("acme", changes));
    CHECK(home.connection(id).status == "attention_required");
    CHECK(home.connection(other).status == "active");
    home.clock().advance(3600);
    CHECK(home.token(id).error().code == ErrorCode::attention_required);
    CHECK(home.provider().refreshes().empty());
  }
}

TEST_CASE("what does not move tokens asks nobody", "[providers]") {
  TestHome home;
  const auto id = home.active_connection();
  for (const auto& changes :
       {Json{{"auth_url", "https://acme.example/new"}}, Json{{"client_secret", "another"}},
        Json{{"scopes", {"all"}}}, Json{{"auth_header", "client_secret_post"}}})
    REQUIRE(home.edit_provider("acme", changes));
  CHECK(home.connection(id).status == "active");
  REQUIRE(home.refresh(id));
  const auto request = home.provider().refreshes()[0];
  CHECK(request["client_secret"] == "another");
  CHECK_FALSE(request.headers.contains("authorization"));
}

TEST_CASE("editing changes the fields that are given and leaves the others", "[providers]") {
  TestHome home;
  REQUIRE(home.register_provider(changed(provider_fields(), {{"description", "as it was"}})));
  const auto before = home.find_provider("acme");
  const auto edited = home.edit_provider("acme", {{"client_id", "client-2"}});
  REQUIRE(edited);
  CHECK(edited->id == before->id);
  CHECK(edited->client_id == "client-2");
  CHECK(edited->description == "as it was");
  CHECK(edited->token_url == before->token_url);
  CHECK(edited->secret_fingerprint == before->secret_fingerprint);

  auto whole = provider_fields();
  whole.erase("client_secret");
  const auto replaced = home.edit_provider("acme", whole, true);
  REQUIRE(replaced);
  CHECK(replaced->description.empty());
  CHECK(replaced->secret_fingerprint == before->secret_fingerprint);
}

TEST_CASE("an edit that changes nothing is not recorded", "[providers]") {
  TestHome home;
  REQUIRE(home.register_provider());
  REQUIRE(home.edit_provider("acme", {{"client_id", "client-1"}}));
  REQUIRE(home.edit_provider("acme", {{"client_secret", "s3cret"}}));
  CHECK(home.audited("provider.updated") == 0);
  REQUIRE(home.edit_provider("acme", {{"client_secret", "another"}}));
  CHECK(home.audited("provider.updated") == 1);
}

TEST_CASE("a refused edit changes nothing", "[providers]") {
  TestHome home;
  const auto registered = home.register_provider();
  REQUIRE(registered);
  CHECK_FALSE(home.edit_provider("acme", {{"token_url", "nonsense"}, {"client_id", "client-2"}}));
  CHECK(home.find_provider("acme")->client_id == "client-1");
  CHECK(home.edit_provider("other", {{"client_id", "x"}}).error().code ==
        ErrorCode::provider_not_found);
}

TEST_CASE("a renamed provider keeps its connections, and its new name is its own", "[providers]") {
  TestHome home;
  const auto id = home.active_connection();
  REQUIRE(home.register_provider(provider_fields("other")));
  CHECK(home.edit_provider("acme", {{"name", "other"}}).error().code == ErrorCode::provider_exists);
  CHECK(home.find_provider("acme"));
  REQUIRE(home.edit_provider("acme", {{"name", "acme-2"}}));
  CHECK_FALSE(home.find_provider("acme"));
  CHECK(home.find("acme-2")->id == id);
  // What is registered at the provider stays as it is.
  CHECK(home.find_provider("acme-2")->redirect_uri == "http://127.0.0.1:8090/auth/callback/acme");
}

TEST_CASE("a secret is told by its fingerprint, which two providers do not share", "[providers]") {
  TestHome home;
  const auto acme = home.register_provider();
  const auto other = home.register_provider(provider_fields("other"));
  auto fields = provider_fields("public");
  fields.erase("client_secret");
  const auto open = home.register_provider(fields);
  REQUIRE((acme && other && open));
  CHECK(acme->secret_fingerprint.size() == 8);
  CHECK(acme->secret_fingerprint != other->secret_fingerprint);
  CHECK(open->secret_fingerprint.empty());
  const auto changed_secret = home.edit_provider("acme", {{"client_secret", "another"}});
  REQUIRE(changed_secret);
  CHECK(changed_secret->secret_fingerprint != acme->secret_fingerprint);
  const auto as_before = home.edit_provider("acme", {{"client_secret", "s3cret"}});
  REQUIRE(as_before);
  CHECK(as_before->secret_fingerprint == acme->secret_fingerprint);
}

TEST_CASE("a provider whose answers name it shares the redirect URI, another has its own",
          "[providers]") {
  TestHome home;
  CHECK(home.register_provider()->redirect_uri == "http://127.0.0.1:8090/auth/callback/acme");
  home.server().behave({.sends_iss = true});
  CHECK(home.register_provider(openid_fields("iss"))->redirect_uri ==
        "http://127.0.0.1:8090/auth/callback");
  CHECK(home.register_provider(changed(provider_fields("local"), {{"redirect_host", "localhost"}}))
            ->redirect_uri == "http://localhost:8090/auth/callback/local");
  auto https = provider_fields("https");
  https["params"]["https_redirect"] = true;
  CHECK(home.register_provider(https)->redirect_uri ==
        "https://localhost:8090/auth/callback/https");
}

TEST_CASE("metadata that is wrong is refused, metadata that is away is warned of", "[providers]") {
  TestHome home;
  const auto path = "/.well-known/openid-configuration";
  home.provider().answers(answers::json(200, {{"issuer", "https://evil.example"}}), path);
  const auto wrong = home.register_provider(openid_fields());
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().code == ErrorCode::provider_metadata_invalid);
  // What was found to be wrong is not asked for again within a minute.
  CHECK_FALSE(home.register_provider(openid_fields()));
  CHECK(home.provider().requests(path).size() == 1);
  home.clock().advance(60);
  home.provider().answers(answers::unreachable(), path);
  const auto away = home.register_provider(openid_fields());
  REQUIRE(away);
  CHECK_FALSE(away->warning.empty());
  CHECK(home.active_connection() != "");
}

TEST_CASE("metadata is kept for a day, and beyond that while the provider is away", "[providers]") {
  TestHome home;
  const auto path = "/.well-known/openid-configuration";
  REQUIRE(home.register_provider(openid_fields()));
  REQUIRE(home.request());
  home.clock().advance(86'399);
  REQUIRE(home.request());
  CHECK(home.provider().requests(path).size() == 1);
  home.clock().advance(1);
  home.provider().always_answers(answers::unreachable(), path);
  CHECK(home.request());
  CHECK(home.provider().requests(path).size() == 2);
}

TEST_CASE("a provider's health is what its token endpoint last showed", "[providers]") {
  TestHome home;
  REQUIRE(home.register_provider());
  CHECK_FALSE(home.health_of("acme"));
  const auto id = home.active_connection();
  CHECK(home.health_of("acme")->healthy);
  home.clock().advance(3600);
  home.provider().answers(answers::unavailable(503));
  CHECK_FALSE(home.token(id));
  const auto ill = home.health_of("acme");
  CHECK_FALSE(ill->healthy);
  CHECK(ill->checked_at == home.clock().now());
  CHECK(ill->message.find("503") != std::string::npos);
  home.clock().advance(60);
  CHECK(home.token(id));
  CHECK(home.health_of("acme")->healthy);
  CHECK(home.health_of("acme")->message.empty());
}

TEST_CASE("a removed provider's name is free, and its connections keep what they need",
          "[providers]") {
  TestHome home;
  const auto id = home.active_connection();
  const auto first = home.find_provider("acme");
  REQUIRE(home.remove_provider("acme"));
  CHECK(home.provider_names().empty());
  const auto second = home.register_provider();
  REQUIRE(second);
  CHECK(second->id != first->id);
  CHECK(home.refresh(id));
  CHECK(home.audited("provider.deleted") == 1);
}
