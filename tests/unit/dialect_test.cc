#include <nlohmann/json.hpp>

#include "common/json.h"
#include "daemon/oauth/authorization_request.h"
#include "daemon/oauth/client.h"
#include "daemon/provider/settings.h"
#include "tests/support/catch.h"

using namespace nexus;

namespace {

/// Answers every request with one answer and remembers what was sent.
class OneAnswer : public HttpClient {
 public:
  OneAnswer(std::string type, std::string text) : type_(std::move(type)), text_(std::move(text)) {}

  Result<IncomingResponse> send(const OutgoingRequest& request) override {
    url = request.head.url;
    content_type = request.content_type;
    body = request.body;
    IncomingResponse response;
    response.status = 200;
    response.headers["content-type"] = type_;
    response.body = text_;
    return response;
  }

  std::string url;
  std::string content_type;
  std::string body;

 private:
  std::string type_;
  std::string text_;
};

Dialect dialect(const Json& params) {
  const auto settings = read_settings(params, true);
  REQUIRE(settings);
  return settings->dialect;
}

ProviderEndpoints endpoints(const Json& params) {
  ProviderEndpoints e;
  e.authorization = "https://as.example/auth";
  e.token = "https://as.example/token";
  e.client_id = "me";
  e.client_auth = ClientAuthMethod::client_secret_post;
  e.refresh = dialect(params).refresh_url;
  return e;
}

oauth::Client client(const Json& params, HttpClient& http) {
  return {endpoints(params),
          dialect(params),
          GrantType::authorization_code,
          Secret("s3cret"),
          http,
          [] { return UnixTime{1'800'000'000}; }};
}

std::string url_for(const Json& params) {
  AuthorizationRequest request;
  request.redirect_uri = "http://127.0.0.1:8090/cb";
  request.scopes = {"a", "b"};
  request.state = "S";
  request.code_challenge = "C";
  return authorization_url(endpoints(params), dialect(params), request);
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

Result<TokenResponse> exchange(const Json& params, OneAnswer& http) {
  const Secret code("code");
  const Secret verifier("verifier");
  return client(params, http).exchange({code, verifier, "http://127.0.0.1:8090/cb"});
}

constexpr auto kGood = R"({"access_token":"t","token_type":"bearer"})";

}  // namespace

TEST_CASE("an authorization URL speaks the provider's dialect", "[dialect]") {
  CHECK(has(url_for(Json::object()), "scope=a%20b"));
  CHECK(has(url_for({{"scope_separator", ","}}), "scope=a%2Cb"));
  CHECK_FALSE(has(url_for({{"skip_scope_on_auth", true}}), "scope="));
  const auto renamed = url_for({{"authorization_names", {{"client_id", "client_key"}}}});
  CHECK(has(renamed, "client_key=me"));
  CHECK_FALSE(has(renamed, "client_id="));
  CHECK_FALSE(has(url_for({{"authorization_names", {{"response_type", ""}}}}), "response_type"));
}

TEST_CASE("a code is exchanged in the provider's dialect", "[dialect]") {
  OneAnswer form("application/json", kGood);
  REQUIRE(exchange({{"token_params", {{"type", "web_server"}}}}, form));
  CHECK(form.content_type == "application/x-www-form-urlencoded");
  CHECK(has(form.body, "type=web_server"));
  CHECK(has(form.body, "code_verifier=verifier"));

  OneAnswer json("application/json", kGood);
  REQUIRE(exchange({{"token_request_format", "json"}}, json));
  CHECK(json.content_type == "application/json");
  CHECK(Json::parse(json.body).at("grant_type") == "authorization_code");
  CHECK(Json::parse(json.body).at("client_secret") == "s3cret");
}

TEST_CASE("answers in other forms are taken only where the provider is known for them",
          "[dialect]") {
  OneAnswer form("application/x-www-form-urlencoded; charset=utf-8",
                 "access_token=t%2B1&scope=repo%2Cgist&token_type=bearer");
  CHECK_FALSE(exchange(Json::object(), form));
  const auto read =
      exchange({{"token_response_format", "form"}, {"token_scope_format", "comma"}}, form);
  REQUIRE(read);
  CHECK(read->access_token.expose() == "t+1");
  CHECK(read->scope == "repo gist");

  OneAnswer twice("application/x-www-form-urlencoded", "access_token=a&access_token=b");
  CHECK_FALSE(exchange({{"token_response_format", "form"}}, twice));

  OneAnswer nested("application/json",
                   R"({"ok":true,"authed_user":{"access_token":"u","token_type":"user"}})");
  CHECK_FALSE(exchange(Json::object(), nested));
  const auto user =
      exchange({{"token_response_path", "authed_user"}, {"token_type_optional", true}}, nested);
  REQUIRE(user);
  CHECK(user->access_token.expose() == "u");
  CHECK(user->token_type == "Bearer");

  OneAnswer list("application/json",
                 R"({"access_token":"t","token_type":"bearer","scope":["a","b"],"expires_in":0})");
  CHECK_FALSE(exchange(Json::object(), list));
  const auto listed =
      exchange({{"token_scope_format", "list"}, {"tokens_never_expire", true}}, list);
  REQUIRE(listed);
  CHECK(listed->scope == "a b");
  CHECK_FALSE(listed->expires_in);
}

TEST_CASE("what the provider's entry names of an answer is kept, and nothing else", "[dialect]") {
  const auto kept = [](const std::string& members, const Json& names) {
    OneAnswer http("application/json",
                   R"({"access_token":"t","token_type":"bearer",)" + members + "}");
    const auto read = exchange({{"token_fields", names}}, http);
    REQUIRE(read);
    return read->token_fields;
  };
  const auto* answer = R"("instance_url":"https://a.example","team":{"id":"T1","n":7,"ok":true},)"
                       R"("dotted.name":"x","list":["l"],"none":null,"odd":"a\u001bb",)"
                       R"("rate":1.5)";
  CHECK(kept(answer, {"instance_url", "team.id"}) ==
        R"({"instance_url":"https://a.example","team.id":"T1"})");
  CHECK(kept(answer, {"team.n", "team.ok", "rate"}) == R"({"rate":1.5,"team.n":7,"team.ok":true})");
  CHECK(kept(answer, {"team", "list", "none", "odd", "nobody", "team.id.x", "list.0"}).empty());
  CHECK(kept(answer, Json::array()).empty());
  for (const auto& [count, fits] : {std::pair(2048, true), std::pair(2049, false)}) {
    std::string text;
    for (int i = 0; i < count; ++i) text += "ü";
    CHECK(kept("\"long\":\"" + text + "\"", {"long"}).empty() != fits);
  }
  // Of a nested answer the names begin at its top, as the entry's author sees it.
  OneAnswer nested("application/json",
                   R"({"team":{"id":"T"},"authed_user":{"id":"U","access_token":"u"}})");
  CHECK(exchange({{"token_response_path", "authed_user"},
                  {"token_type_optional", true},
                  {"token_fields", {"team.id", "authed_user.id", "id"}}},
                 nested)
            ->token_fields == R"({"authed_user.id":"U","team.id":"T"})");
}

TEST_CASE("a member error that tells of none is no error", "[dialect]") {
  for (const auto* error : {"null", R"("")", "false", "0", "{}", "[]"}) {
    CAPTURE(error);
    OneAnswer http("application/json", R"({"access_token":"t","token_type":"bearer","error":)" +
                                           std::string(error) + "}");
    CHECK(exchange(Json::object(), http));
  }
  for (const auto* error : {R"("x")", "true", "1", R"({"code":1})", R"(["x"])"}) {
    CAPTURE(error);
    OneAnswer http("application/json", R"({"access_token":"t","token_type":"bearer","error":)" +
                                           std::string(error) + "}");
    const auto answer = exchange(Json::object(), http);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == ErrorCode::provider_rejected);
  }
  OneAnswer nested("application/json",
                   R"({"access_token":null,"user":{"access_token":"u","token_type":"bearer"}})");
  CHECK(exchange({{"token_response_path", "user"}}, nested));
}

TEST_CASE("an error beside a 200 is an error, whatever the form", "[dialect]") {
  OneAnswer form("application/x-www-form-urlencoded",
                 "error=bad_verification_code&error_description=The+code+s3cret+is+wrong");
  const auto answer = exchange({{"token_response_format", "form"}}, form);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == ErrorCode::provider_rejected);
  CHECK_FALSE(has(answer.error().message, "s3cret"));
}

TEST_CASE("a refresh goes where the provider wants it and ends by the provider's words",
          "[dialect]") {
  OneAnswer http("application/json", R"({"error":"stale_login"})");
  const auto refresh = [&](const Json& params) {
    return client(params, http).refresh(Secret("r"));
  };
  CHECK(refresh({{"refresh_url", "https://as.example/refresh"}}).error().code ==
        ErrorCode::upstream_error);
  CHECK(http.url == "https://as.example/refresh");
  const auto over = refresh({{"invalid_grant_errors", {"stale_login"}}});
  REQUIRE(over);
  CHECK(std::holds_alternative<oauth::GrantOver>(*over));
}

TEST_CASE("settings of a dialect that make no sense are refused by name", "[dialect]") {
  const auto refused = [](const Json& params) {
    const auto settings = read_settings(params, true);
    return settings ? std::string() : settings.error().message;
  };
  CHECK(has(refused({{"scope_separator", ";"}}), "scope_separator"));
  CHECK(has(refused({{"pkce", "plain"}}), "pkce"));
  CHECK(has(refused({{"token_params", {{"grant_type", "password"}}}}), "grant_type"));
  CHECK(has(refused({{"refresh_params", {{"client_secret", "x"}}}}), "client_secret"));
  CHECK(has(refused({{"authorization_names", {{"state", "x"}}}}), "state"));
  CHECK(has(refused({{"authorization_names", {{"client_id", "code_challenge"}}}}), "code_"));
  for (const char* name : {"", ".", "a.", ".a", "a..b", "a b", "a{", "ä", "access_token",
                           "authed_user.access_token", "refresh_token", "id_token"})
    CHECK(has(refused({{"token_fields", {"fine", name}}}), "token_fields"));
  CHECK(has(refused({{"token_fields", std::vector<std::string>(17, "a")}}), "16"));
  CHECK(refused({{"token_fields", std::vector<std::string>(16, "a")}}).empty());
  CHECK(has(refused({{"default_expires_in", -1}}), "default_expires_in"));
  CHECK(has(refused({{"default_expires_in", 9223372036854775807LL}}), "default_expires_in"));
  CHECK(has(refused({{"token_response_format", "xml"}}), "token_response_format"));
  CHECK(has(refused({{"skip_scope_on_auth", "maybe"}}), "skip_scope_on_auth"));
  CHECK(refused({{"skip_scope_on_auth", "true"}}).empty());
}
