#include <nlohmann/json.hpp>

#include "common/json.h"
#include "daemon/crypto/encoding.h"
#include "daemon/strategy/credential_schema.h"
#include "daemon/strategy/hmac_payload.h"
#include "tests/support/catch.h"

using namespace nexus;

namespace {

Strategy strategy(const std::string& auth_type, const Json& params = Json::object(),
                  const std::string& auth_header = "") {
  auto read = read_strategy(auth_type, auth_header, params);
  REQUIRE(read);
  return *std::move(read);
}

std::string refusal(const std::string& auth_type, const Json& params) {
  const auto read = read_strategy(auth_type, "", params);
  return read ? std::string() : read.error().message;
}

Credentials credentials(std::initializer_list<std::pair<const char*, const char*>> fields) {
  Credentials all;
  for (const auto& [name, value] : fields) all[name] = Secret(value);
  return all;
}

std::string header(const RequestHead& request, const std::string& name) {
  for (const auto& [key, value] : request.headers)
    if (key == name) return std::string(value.expose());
  return "absent";
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// The request after `authenticate`, which has to take it.
RequestHead with(const Strategy& strategy, const Credentials& credentials, RequestHead request,
                 const Payload& payload = {}) {
  REQUIRE(authenticate(request, strategy, credentials, payload, 0));
  return request;
}

ErrorCode refused(const Strategy& strategy, const Credentials& credentials,
                  RequestHead request = {.url = "https://api.example/"},
                  const Payload& payload = {}) {
  const auto done = authenticate(request, strategy, credentials, payload, 0);
  REQUIRE_FALSE(done);
  return done.error().code;
}

Headers headers(std::initializer_list<std::pair<const char*, const char*>> all) {
  Headers list;
  for (const auto& [name, value] : all) list.emplace_back(name, Secret(value));
  return list;
}

std::string names_of(const RequestHead& request) {
  std::string names;
  for (const auto& [name, value] : request.headers) names += name + " ";
  return names;
}

}  // namespace

TEST_CASE("an API key goes where the provider's entry says, in the contract's order",
          "[strategy]") {
  CHECK(strategy("api_key").get("header_name") == "X-API-Key");
  CHECK(strategy("api_key", Json::object(), "X-Other").get("header_name") == "X-Other");
  const Json schema{
      {"properties",
       {{"key", {{"in", "header"}, {"name", "authorization"}, {"prefix", "Token "}}}}}};
  const auto placed = strategy("api_key", {{"credential_schema", schema}}, "X-Other");
  CHECK(placed.get("header_name") == "authorization");
  CHECK(placed.get("value_prefix") == "Token ");
  CHECK(placed.credential_field() == "key");
  CHECK(strategy("api_key", {{"credential_schema", schema}, {"header_name", "X-Inline"}})
            .get("header_name") == "X-Inline");
  const auto query = strategy("api_key", {{"param_name", "key"}});
  CHECK(query.get("in") == "query");
  CHECK(query.by_placement().type == "query_param");
  CHECK(strategy("api_key").by_placement().type == "header");
  const auto explicit_one = strategy(
      "api_key",
      {{"auth_strategy", {{"type", "header"}, {"config", {{"header_name", "X-Explicit"}}}}},
       {"header_name", "X-Inline"}});
  CHECK(explicit_one.type == "header");
  CHECK(explicit_one.by_placement().type == "header");
  CHECK(explicit_one.get("header_name") == "X-Explicit");
  CHECK(explicit_one.get("value_prefix").empty());
  // Clients take an absent prefix for "Bearer ": it is always there.
  CHECK(has(explicit_one.to_json(), "\"value_prefix\""));
}

TEST_CASE("a strategy that cannot work is refused when it is registered", "[strategy]") {
  CHECK(has(refusal("query_param", Json::object()), "param_name"));
  CHECK(has(refusal("hmac_payload", Json::object()), "header_name"));
  CHECK(has(refusal("aws_sigv4", Json::object()), "service"));
  CHECK(has(refusal("header", {{"header_name", "X Bad"}}), "header_name"));
  CHECK(has(refusal("header", {{"header_name", "X:\r\nEvil"}}), "control"));
  CHECK(has(refusal("header", {{"value_prefix", "\n"}}), "value_prefix"));
  CHECK(has(refusal("hmac_payload", {{"header_name", "X-S"}, {"algo", "md5"}}), "algo"));
  CHECK(has(refusal("aws_sigv4", {{"service", "s3/../x"}}), "service"));
  CHECK(has(refusal("telepathy", Json::object()), "telepathy"));
}

TEST_CASE("credentials are put into a request as each strategy has it", "[strategy]") {
  const auto key = with(strategy("header", {{"value_prefix", "Bearer "}}),
                        credentials({{"api_key", "k"}}), {.url = "https://api.example/v1"});
  CHECK(header(key, "Authorization") == "Bearer k");
  const auto basic = with(
      strategy("basic_auth"), credentials({{"username", "Aladdin"}, {"password", "open sesame"}}),
      {.url = "https://api.example/", .headers = headers({{"authorization", "mine"}})});
  CHECK(header(basic, "Authorization") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");  // RFC 7617
  CHECK(names_of(basic) == "Authorization ");
  CHECK(refused(strategy("basic_auth"), credentials({{"username", "a:b"}})) ==
        ErrorCode::invalid_credentials);
  CHECK(refused(strategy("header"), credentials({{"api_key", "schlüssel"}})) ==
        ErrorCode::invalid_credentials);
}

TEST_CASE("the injected header is the only one of its name", "[strategy]") {
  const auto request =
      with(strategy("header", {{"header_name", "X-Api-Key"}}), credentials({{"api_key", "ours"}}),
           {.url = "https://api.example/",
            .headers = headers({{"x-api-key", "1"},
                                {"Accept", "a"},
                                {"X-API-KEY", "2"},
                                {"X-Api-Key2", "3"},
                                {"X-Api-Key", "4"},
                                {"Authorization", "the caller's"}})});
  CHECK(names_of(request) == "Accept X-Api-Key2 Authorization X-Api-Key ");
  CHECK(header(request, "X-Api-Key") == "ours");
  CHECK(header(request, "Authorization") == "the caller's");
}

TEST_CASE("the injected parameter is the only one of its name, and nothing else changes",
          "[strategy]") {
  const auto url = [](const std::string& given, const char* name = "key") {
    return with(strategy("query_param", {{"param_name", name}}),
                credentials({{"api_key", "a&b/ü"}}), {.url = given})
        .url;
  };
  const std::string base = "https://api.example/v1";
  const std::string ours = "key=a%26b%2F%C3%BC";
  CHECK(url(base) == base + "?" + ours);
  CHECK(url(base + "?") == base + "?" + ours);
  CHECK(url(base + "?a=b") == base + "?a=b&" + ours);
  for (const char* same : {"key=x", "key", "key=", "k%65y=x", "%6B%65%79=x", "%6b%65%79", "key=x=y",
                           "key=x&key=y", "key=x&%6bey=y&key"}) {
    CAPTURE(same);
    CHECK(url(base + "?" + same) == base + "?" + ours);
    CHECK(url(base + "?" + same + "&z=%7e") == base + "?z=%7e&" + ours);
    CHECK(url(base + "?z=%7e&" + same) == base + "?z=%7e&" + ours);
    CHECK(url(base + "?b=%2f+&" + same + "&&a&b=%2F%20=") == base + "?b=%2f+&&a&b=%2F%20=&" + ours);
  }
  for (const char* other : {"Key=x", "keys=x", "ke=y", "a=key", "a=b?key=x", "key%20=x",
                            "k%2565y=x", "=key", "%zzkey=x", "key[]=x"})
    CHECK(url(base + "?" + other) == base + "?" + other + "&" + ours);
  CHECK(url(base + "?my+key=1&my%20key=2&my%2Bkey=3&mykey=4", "my key") ==
        base + "?my%2Bkey=3&mykey=4&my%20key=a%26b%2F%C3%BC");
  CHECK(url(base + "?key=x#key=y") == base + "?" + ours + "#key=y");
  CHECK(url(base + "#?key=y") == base + "?" + ours + "#?key=y");
}

TEST_CASE("nothing that could begin another line gets into a request (M7)", "[strategy]") {
  const auto all = [](const Json& more) {
    Json config{{"header_name", "X-S"}, {"param_name", "key"}, {"service", "s3"}};
    config.update(more);
    return config;
  };
  for (const char* type :
       {"api_key", "header", "query_param", "basic_auth", "hmac_payload", "aws_sigv4", "path"}) {
    CAPTURE(type);
    const auto good = credentials({{"api_key", "k"},
                                   {"username", "u"},
                                   {"password", "p"},
                                   {"api_secret", "s"},
                                   {"access_key", "a"},
                                   {"secret_key", "k"},
                                   {"session_token", "t"}});
    const auto used = strategy(type, all(Json::object()));
    RequestHead plain{.url = "https://api.example/", .headers = headers({{"X-Tab", "a\tb"}})};
    REQUIRE(authenticate(plain, used, good, {}, 0));
    for (const auto& bad : {std::string("a\r\nX: 1"), std::string("a\n"), std::string("\ra"),
                            std::string("a\0b", 3)}) {
      for (const auto& [name, value] : good) {
        Credentials fields;
        for (const auto& [other, text] : good) fields[other] = text.copy();
        fields[name] = Secret(bad);
        CHECK(refused(used, fields) == ErrorCode::invalid_credentials);
      }
      RequestHead request{.url = "https://api.example/"};
      request.headers.emplace_back("X-A", Secret(bad));
      CHECK(refused(used, good, std::move(request)) == ErrorCode::invalid_field);
      request = {.url = "https://api.example/"};
      request.headers.emplace_back(bad, Secret("a"));
      CHECK(refused(used, good, std::move(request)) == ErrorCode::invalid_field);
    }
    for (const char* name : {"", "X A", "X:A", "Xä"})
      CHECK(
          refused(used, good, {.url = "https://api.example/", .headers = headers({{name, "a"}})}) ==
          ErrorCode::invalid_field);
  }
}

TEST_CASE("HMACs are those of RFC 4231 and RFC 2202 (M7)", "[strategy]") {
  const auto sha256_of = [](const std::string& key, std::string_view text) {
    return hex(hmac(HmacAlgorithm::sha256, key, text));
  };
  CHECK(sha256_of(std::string(20, '\x0b'), "Hi There") ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(sha256_of("Jefe", "what do ya want for nothing?") ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(sha256_of(std::string(20, '\xaa'), std::string(50, '\xdd')) ==
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  std::string counted;
  for (char c = 1; c <= 25; ++c) counted += c;
  CHECK(sha256_of(counted, std::string(50, '\xcd')) ==
        "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
  // Given cut to 128 bits: ours are whole.
  CHECK(sha256_of(std::string(20, '\x0c'), "Test With Truncation").substr(0, 32) ==
        "a3b6167473100ee06e0c796c2955552b");
  CHECK(sha256_of(std::string(131, '\xaa'),
                  "Test Using Larger Than Block-Size Key - Hash Key First") ==
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  CHECK(sha256_of(std::string(131, '\xaa'),
                  "This is a test using a larger than block-size key and a larger than block-size "
                  "data. The key needs to be hashed before being used by the HMAC algorithm.") ==
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
  CHECK(sha256_of("", "") == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
  CHECK(hex(hmac(HmacAlgorithm::sha1, "Jefe", "what do ya want for nothing?")) ==
        "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  CHECK(hex(hmac(HmacAlgorithm::sha1, std::string(80, '\xaa'),
                 "Test Using Larger Than Block-Size Key - Hash Key First")) ==
        "aa4ae5e15272d00e95705637ce8a3b55ed402112");
}

TEST_CASE("the whole body is signed with an HMAC, as it is written where it is asked for (M7)",
          "[strategy]") {
  using namespace std::string_view_literals;
  const auto mac = [](std::string_view body, Json config = Json::object()) {
    config["header_name"] = "X-Signature";
    return header(with(strategy("hmac_payload", config), credentials({{"api_secret", "Jefe"}}),
                       {.method = "POST",
                        .url = "https://api.example/",
                        .headers = headers({{"x-signature", "mine"}})},
                       {.body = body}),
                  "X-Signature");
  };
  CHECK(mac("what do ya want for nothing?") ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(mac("what do ya want for nothing?", {{"encoding", "base64"}}) ==
        "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=");
  CHECK(mac("what do ya want for nothing?", {{"algo", "sha1"}, {"encoding", "base64"}}) ==
        "7/zfauXrL6LSdBbV8YTfnCWafHk=");
  CHECK(mac("") == "923598ca6d64af2a5dba79dcd021a8a0fe5c5f557519adaaf0ad532d4506dd30");
  CHECK(mac("a\0b"sv) == hex(hmac(HmacAlgorithm::sha256, "Jefe", "a\0b"sv)));
  CHECK(mac("a\0b"sv) != mac("a"));
  // Never that of an empty body in place of one that nobody read.
  CHECK(refused(strategy("hmac_payload", {{"header_name", "X-S"}}),
                credentials({{"api_secret", "s"}}), {.url = "https://api.example/"},
                {.is_unsigned = true}) == ErrorCode::invalid_field);
}

TEST_CASE("the strategy of AWS signs with all that the connection has", "[strategy]") {
  const auto request =
      with(strategy("aws_sigv4", {{"service", "s3"}, {"region", "eu-west-1"}}),
           credentials({{"access_key", "AKID"}, {"secret_key", "k"}, {"session_token", "t"}}),
           {.url = "https://b.example:8443/"}, {.is_unsigned = true});
  CHECK(header(request, "X-Amz-Date") == "19700101T000000Z");
  CHECK(header(request, "X-Amz-Security-Token") == "t");
  CHECK(header(request, "X-Amz-Content-Sha256") == "UNSIGNED-PAYLOAD");
  CHECK(has(header(request, "Authorization"),
            "Credential=AKID/19700101/eu-west-1/s3/aws4_request, "
            "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token, "));
}

namespace {

std::string schema_refusal(const Json& schema) {
  const auto read = CredentialSchema::read({{"credential_schema", schema}}, strategy("api_key"));
  return read ? std::string() : read.error().message;
}

Json with_key(const Json& property) {
  return {{"type", "object"}, {"properties", {{"api_key", property}}}};
}

CredentialSchema::Checked checked(const Json& property, Json given) {
  const auto schema =
      CredentialSchema::read({{"credential_schema", with_key(property)}}, strategy("api_key"));
  REQUIRE(schema);
  return schema->check(given);
}

}  // namespace

TEST_CASE("a schema that makes no sense is refused by name", "[schema]") {
  CHECK(schema_refusal(with_key({{"title", "Key"}})).empty());
  CHECK(has(schema_refusal(Json::object()), "properties"));
  CHECK(has(schema_refusal({{"type", "array"}}), "type"));
  CHECK(has(schema_refusal({{"properties", {{"other", Json::object()}, {"b", Json::object()}}}}),
            "api_key"));
  CHECK(has(schema_refusal({{"properties", {{"api_key", "text"}}}}), "api_key"));
  CHECK(has(schema_refusal(with_key({{"type", "object"}})), "type"));
  CHECK(has(schema_refusal(with_key({{"pattern", "("}})), "pattern"));
  CHECK(has(schema_refusal(with_key({{"pattern", "(?=a)b"}})), "pattern"));
  CHECK(has(schema_refusal(with_key({{"minLength", 9}, {"maxLength", 3}})), "minLength"));
  CHECK(has(schema_refusal(with_key({{"maxLength", 1000000}})), "maxLength"));
  CHECK(has(schema_refusal(with_key({{"enum", {1, 2}}})), "enum"));
  auto required = with_key(Json::object());
  required["required"] = {"api_key", "nobody"};
  CHECK(has(schema_refusal(required), "nobody"));
  required["required"] = "api_key";
  CHECK(has(schema_refusal(required), "required"));
  CHECK(
      has(schema_refusal({{"properties", {{"api_key", Json::object()}, {"a b", Json::object()}}}}),
          "a b"));
}

TEST_CASE("what is typed is checked field by field", "[schema]") {
  const auto fault = [](const Json& property, const Json& value) {
    const auto result = checked(property, Json{{"api_key", value}});
    return result.faults.empty() ? std::string() : result.faults[0].second;
  };
  CHECK(fault(Json::object(), "sk-1").empty());
  CHECK(has(fault(Json::object(), ""), "missing"));
  CHECK(has(fault(Json::object(), "   "), "missing"));
  CHECK(has(fault(Json::object(), nullptr), "missing"));
  CHECK(has(fault(Json::object(), 7), "text"));
  CHECK(has(fault(Json::object(), Json::array()), "text"));
  CHECK(has(fault(Json::object(), std::string(10000, 'x')), "longer than 4096"));
  CHECK(has(fault(Json::object(), "a\nb"), "line break"));
  CHECK(has(fault(Json::object(), std::string("a\0b", 3)), "control"));
  CHECK(fault(Json::object(), "größe").empty());
  CHECK(has(fault(Json{{"minLength", 6}}, "größe"), "shorter"));
  CHECK(fault({{"minLength", 5}}, "größe").empty());
  CHECK(has(fault({{"pattern", "^sk-"}}, "pk-1"), "look"));
  CHECK(fault({{"pattern", "^sk-"}}, "sk-1").empty());
  CHECK(has(fault({{"enum", {"eu", "us"}}}, "asia"), "one of: eu, us"));
  CHECK(fault({{"pattern", "(a+)+$"}}, std::string(4000, 'a') + "b") != "");  // in linear time
  CHECK(has(fault({{"type", "integer"}}, "12a"), "whole number"));
  CHECK(fault({{"type", "integer"}}, "12").empty());
  CHECK(fault({{"type", "integer"}}, 12).empty());
  CHECK(has(fault({{"type", "boolean"}}, "perhaps"), "true or false"));
  // Blanks and line ends that copying brings along are not part of a key.
  CHECK(checked(Json::object(), {{"api_key", " sk-1\n"}}).values["api_key"].expose() == "sk-1");
}

TEST_CASE("captured fields keep their types, constants are not asked for", "[schema]") {
  const Json schema{{"required", {"api_key", "port"}},
                    {"properties",
                     {{"api_key", Json::object()},
                      {"port", {{"type", "integer"}}},
                      {"tls", {{"type", "boolean"}}},
                      {"note", {{"type", "string"}}},
                      {"password", {{"const", ""}}}}}};
  const auto read = CredentialSchema::read({{"credential_schema", schema}}, strategy("api_key"));
  REQUIRE(read);
  CHECK(read->fields()[0].name == "api_key");
  CHECK(read->fields()[1].name == "port");
  JsonWriter shown;
  read->write(shown);
  CHECK_FALSE(has(shown.take(), "\"password\":{"));
  Json given{{"api_key", "k\"1"}, {"port", "8080"}, {"unknown", "x"}};
  const auto result = read->check(given);
  REQUIRE(result.faults.empty());
  const auto document = Json::parse(read->to_document(result.values));
  CHECK(document == Json{{"api_key", "k\"1"}, {"port", 8080}, {"tls", false}, {"password", ""}});
  CHECK(given["api_key"] != "k\"1");  // wiped
  const auto back = credentials_from_document(read->to_document(result.values));
  REQUIRE(back);
  CHECK(credential(*back, "port") == "8080");
}

TEST_CASE("every strategy asks for what it needs", "[schema]") {
  const auto names = [](const std::string& type, const Json& params) {
    const auto read = CredentialSchema::read(params, strategy(type, params));
    REQUIRE(read);
    std::vector<std::string> all;
    for (const auto& field : read->fields())
      all.push_back(field.name + (field.secret ? "*" : "") + (field.required ? "!" : ""));
    return all;
  };
  using Names = std::vector<std::string>;
  CHECK(names("api_key", Json::object()) == Names{"api_key*!"});
  CHECK(names("header", Json::object()) == Names{"api_key*!"});
  CHECK(names("query_param", {{"param_name", "k"}}) == Names{"api_key*!"});
  CHECK(names("basic_auth", Json::object()) == Names{"username!", "password*!"});
  CHECK(names("hmac_payload", {{"header_name", "X-S"}}) == Names{"api_secret*!"});
  CHECK(names("aws_sigv4", {{"service", "s3"}}) ==
        Names{"access_key!", "secret_key*!", "session_token*"});
}
