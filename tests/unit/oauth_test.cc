#include <nlohmann/json.hpp>

#include "common/json.h"
#include "common/text.h"
#include "daemon/crypto/encoding.h"
#include "daemon/net/url.h"
#include "daemon/oauth/authorization_request.h"
#include "daemon/oauth/authorization_response.h"
#include "daemon/oauth/discovery.h"
#include "daemon/oauth/token_response.h"
#include "daemon/provider/registration.h"
#include "tests/support/catch.h"

using namespace nexus;

TEST_CASE("the code challenge is RFC 7636's example", "[pkce]") {
  CHECK(code_challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") ==
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

TEST_CASE("code verifiers have 43 unreserved characters and differ", "[pkce]") {
  const auto a = random_token(32);
  CHECK(a.size() == 43);
  CHECK(a.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") ==
        std::string::npos);
  CHECK(a != random_token(32));
}

TEST_CASE("the authorization URL keeps the endpoint's query and lets nobody override its own",
          "[authorization]") {
  ProviderEndpoints endpoints;
  endpoints.authorization = "https://as.example/auth?a=b&state=evil";
  endpoints.client_id = "me & you";
  AuthorizationRequest request;
  request.redirect_uri = "http://127.0.0.1:8090/auth/callback";
  request.scopes = {"openid", "email"};
  request.state = "S";
  request.code_challenge = "C";
  request.nonce = "N";
  request.extra = {{"state", "x"}, {"access_type", "offline"}, {"client_secret", "no"}, {"a", "c"}};
  CHECK(authorization_url(endpoints, Dialect(), request) ==
        "https://as.example/auth?response_type=code&client_id=me%20%26%20you&redirect_uri="
        "http%3A%2F%2F127.0.0.1%3A8090%2Fauth%2Fcallback&scope=openid%20email&state=S"
        "&code_challenge=C&code_challenge_method=S256&nonce=N&access_type=offline&a=c");
}

TEST_CASE("an authorization response with a doubled parameter is refused", "[authorization]") {
  for (const char* name : {"state", "code", "iss", "error"})
    CHECK_FALSE(parse_authorization_response({{name, "a"}, {name, "b"}}));
  CHECK_FALSE(parse_authorization_response({{"response", "jarm"}}));
  CHECK_FALSE(parse_authorization_response({{"code", std::string(60'000, 'x')}}));
  CHECK_FALSE(parse_authorization_response({{"code", "a\nb"}}));
  const auto cleaned = parse_authorization_response({{"error", "e\x1b[2J"}, {"state", "s"}});
  REQUIRE(cleaned);
  CHECK(cleaned->error == "e?[2J");
}

TEST_CASE("iss is compared to the byte and demanded where it was promised", "[authorization]") {
  const auto with = [](const char* iss) {
    auto response = parse_authorization_response({{"state", "s"}, {"iss", iss}});
    return *std::move(response);
  };
  const std::string issuer = "https://as.example";
  CHECK(check_issuer(with("https://as.example"), issuer, true));
  CHECK_FALSE(check_issuer(with("https://as.example/"), issuer, true));
  CHECK_FALSE(check_issuer(with("https://AS.example"), issuer, false));
  CHECK_FALSE(check_issuer(with("https://evil.example"), issuer, false));
  CHECK_FALSE(check_issuer(AuthorizationResponse{}, issuer, true));
  CHECK(check_issuer(AuthorizationResponse{}, issuer, false));
  // A provider that was registered by its endpoints: what is missing is said.
  const auto unknown = check_issuer(with("https://as.example"), "", false);
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().hint.find("--issuer") != std::string::npos);
}

namespace {

constexpr UnixTime kNow = 1'800'000'000;

Result<TokenResponse> parse_token_response(const std::string& text, const Json& params = {}) {
  auto document = parse_json_object(text);
  if (!document) return document.error();
  return read_token_response(
      **document, read_settings(params.is_null() ? Json::object() : params, true)->dialect, kNow);
}

Result<TokenResponse> token(const std::string& members) {
  return parse_token_response(R"({"access_token":"t","token_type":"Bearer")" + members + "}");
}

}  // namespace

TEST_CASE("expires_in is read from numbers and digits, clamped, and refused otherwise", "[token]") {
  CHECK(token(R"(,"expires_in":3600)")->expires_in == 3600);
  CHECK(token(R"(,"expires_in":"3600")")->expires_in == 3600);
  CHECK(token(R"(,"expires_in":3600.7)")->expires_in == 3600);
  CHECK(token(R"(,"expires_in":0)")->expires_in == 0);
  CHECK_FALSE(token("")->expires_in);
  CHECK_FALSE(token(R"(,"expires_in":null)")->expires_in);
  for (const auto* huge : {"1e308", "9223372036854775807", "18446744073709551615", "1e30",
                           "\"99999999999999999999999\""})
    CHECK(token(std::string(",\"expires_in\":") + huge)->expires_in == kMaxExpiresIn);
  for (const auto* bad : {"-3600", "\"3600abc\"", "true", "[]", "\"\"", "-0.5", "{}"})
    CHECK_FALSE(token(std::string(",\"expires_in\":") + bad));
}

TEST_CASE("a token's life is also read from the time when it ends, where a provider tells that",
          "[token]") {
  const auto life = [](const std::string& members) { return token("," + members)->expires_in; };
  for (const auto* name : {"expires_in", "expires_at", "expires_on"})
    for (const auto* time : {"1800003600", "1800003600000", "\"1800003600\""}) {
      CAPTURE(name, time);
      CHECK(life("\"" + std::string(name) + "\":" + time) == 3600);
    }
  CHECK(life(R"("expires_at":"2027-01-15T09:00:00Z")") == 3600);
  CHECK(life(R"("expires_in":null,"expires_at":1800000060)") == 60);
  CHECK(life(R"("expires_in":7,"expires_at":1800000060)") == 7);
  CHECK(life(R"("expires_at":1799999000)") == 0);
  // Neither is the access token's life, nor can these be read as one.
  for (const auto* other :
       {R"("ext_expires_in":7)", R"("refresh_token_expires_in":7)", R"("expires_at":"soon")",
        R"("expires_at":null)", R"("expires_on":5)", R"("expires_at":{})"})
    CHECK_FALSE(life(other));
}

TEST_CASE("a token response is taken only as RFC 6749 5.1 has it", "[token]") {
  CHECK_FALSE(parse_token_response("[]"));
  CHECK_FALSE(parse_token_response(R"({"token_type":"Bearer"})"));
  CHECK_FALSE(parse_token_response(R"({"access_token":"t"})"));
  CHECK_FALSE(parse_token_response(R"({"access_token":"","token_type":"Bearer"})"));
  CHECK_FALSE(parse_token_response(R"({"access_token":"t","token_type":"mac"})"));
  CHECK_FALSE(parse_token_response(R"({"access_token":"t","token_type":"DPoP"})"));
  CHECK_FALSE(parse_token_response(R"({"access_token":7,"token_type":"Bearer"})"));
  CHECK_FALSE(parse_token_response(R"({"access_token":"a\r\nX: 1","token_type":"Bearer"})"));
  CHECK_FALSE(token(R"(,"refresh_token":7)"));
  CHECK_FALSE(token(R"(,"scope":["a"])"));
  CHECK(parse_token_response(R"({"access_token":"t","token_type":"bEaReR"})"));
  CHECK(token(R"(,"refresh_token":"")")->refresh_token.empty());
  CHECK(token(R"(,"refresh_token":null)")->refresh_token.empty());
  CHECK(token(R"(,"scope":"a b","odd":{"x":1})")->scope == "a b");
}

TEST_CASE("metadata is believed only about its own issuer", "[discovery]") {
  const auto parse = [](const Json& changes, const std::string& issuer = "https://as.example") {
    Json document{{"issuer", "https://as.example"},
                  {"authorization_endpoint", "https://as.example/auth"},
                  {"token_endpoint", "https://as.example/token"}};
    document.update(changes);
    return parse_metadata(to_text(document), issuer, false);
  };
  CHECK(parse(Json::object()));
  CHECK_FALSE(parse({{"issuer", "https://as.example/"}}));
  CHECK_FALSE(parse({{"issuer", "https://AS.example"}}));
  CHECK_FALSE(parse({{"issuer", nullptr}}));
  CHECK_FALSE(parse({{"token_endpoint", nullptr}}));
  CHECK_FALSE(parse({{"token_endpoint", "http://as.example/token"}}));
  CHECK_FALSE(parse({{"token_endpoint", "http://127.0.0.1/token"}}));
  CHECK_FALSE(parse({{"authorization_endpoint", "javascript:alert(1)"}}));
  CHECK_FALSE(parse({{"jwks_uri", "https://user@as.example/jwks"}}));
  CHECK_FALSE(parse({{"jwks_uri", "file:///etc/passwd"}}));
  CHECK_FALSE(parse({{"code_challenge_methods_supported", {"plain"}}}));
  CHECK(parse({{"code_challenge_methods_supported", {"plain", "S256"}}}));
}

TEST_CASE("well-known locations follow both standards", "[discovery]") {
  CHECK(metadata_urls("https://a.example/t/1/") ==
        std::vector<std::string>{"https://a.example/t/1/.well-known/openid-configuration",
                                 "https://a.example/.well-known/oauth-authorization-server/t/1",
                                 "https://a.example/.well-known/openid-configuration/t/1"});
}

TEST_CASE("a return_url that parsers disagree about is refused", "[url]") {
  for (const auto* bad :
       {"//evil", "/\\evil", "https:evil", "https:///evil", "https://ok@evil.example",
        "https://evil\\.ok.example", "javascript:alert(1)", "data:text/html,x", "http://ok.example",
        "https://ok.example/\r\nX: 1", "https://ok.example/a b", "", "ftp://ok.example",
        "https://ok\xe3\x80\x82"
        "example"})
    CHECK_FALSE(parse_return_url(bad));
  for (const auto* good : {"https://ok.example/x?a=1#f", "http://127.0.0.1:3000/r",
                           "http://localhost/r", "http://[::1]:9/"})
    CHECK(parse_return_url(good));
}

TEST_CASE("parameters join a return_url's own query and leave its fragment", "[url]") {
  CHECK(with_parameters("https://a/b?a=1#f", {{"s", "x y"}}) == "https://a/b?a=1&s=x%20y#f");
  CHECK(with_parameters("https://a/b", {{"s", "1"}, {"t", "&"}}) == "https://a/b?s=1&t=%26");
  CHECK(with_parameters("https://a/b?", {{"s", "1"}}) == "https://a/b?s=1");
}

TEST_CASE("plain http is for loopback, and only where it was allowed", "[url]") {
  CHECK_FALSE(parse_endpoint("http://192.0.2.1/x", "e", true));
  CHECK_FALSE(parse_endpoint("http://127.0.0.1/x", "e", false));
  CHECK(parse_endpoint("http://127.0.0.1/x", "e", true));
  CHECK(parse_endpoint("http://2130706433/x", "e", true));  // 127.0.0.1 in one number
  CHECK_FALSE(parse_endpoint("http://127.0.0.1.evil.example/x", "e", true));
  for (const char* name : {"http://127.0.0.1.5/", "http://127.0.0.1./", "http://127.0.0.256/"})
    CHECK_FALSE(parse_endpoint(name, "e", true));  // a name, wherever it leads
  CHECK_FALSE(parse_endpoint("https://a.example/x#f", "e", false));
}

TEST_CASE("a registration names what is wrong with it", "[provider]") {
  const auto read = [](Json body) { return read_registration(body); };
  const Json good{{"name", "demo"}, {"client_id", "c"}, {"issuer", "https://a.example"}};
  const auto with = [&](const Json& changes) {
    auto body = good;
    body.update(changes);
    return body;
  };
  CHECK(read(good));
  CHECK(read({{"profile", good}}));
  CHECK_FALSE(read(with({{"name", "De mo"}})));
  CHECK_FALSE(read(with({{"name", "x\ny"}})));
  CHECK_FALSE(read(with({{"client_id", ""}})));
  CHECK_FALSE(read(with({{"issuer", ""}})));
  CHECK_FALSE(read(with({{"issuer", "http://192.0.2.1"}})));
  CHECK_FALSE(read(with({{"scopes", "openid"}})));
  CHECK_FALSE(read(with({{"auth_header", "client_secret_basic"}})));
  CHECK(read(with({{"auth_header", "Basic"}, {"client_secret", "s"}})));
  CHECK(read(with({{"auth_type", "saml"}})).error().code == ErrorCode::unsupported_auth_type);
  auto body = with({{"client_secret", "canary"}});
  const auto registration = read_registration(body);
  REQUIRE(registration);
  CHECK(registration->client_secret->expose() == "canary");
  CHECK(to_text(body).find("canary") == std::string::npos);
  CHECK(to_text(to_json(registration->provider)).find("canary") == std::string::npos);
}

TEST_CASE("one odd value in params does not drop the others", "[provider]") {
  Provider provider;
  provider.settings =
      *read_settings({{"access_type", "offline"}, {"skip_scope_on_auth", true}}, true);
  const auto parameters = authorization_parameters(provider, {"openid"});
  REQUIRE(parameters.size() == 1);
  CHECK(parameters[0].first == "access_type");
}
