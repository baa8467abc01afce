#include <nlohmann/json.hpp>

#include "common/json.h"
#include "daemon/crypto/encoding.h"
#include "daemon/strategy/aws_sigv4.h"
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

std::string header(const OutgoingRequest& request, const std::string& name) {
  for (const auto& [key, value] : request.head.headers)
    if (key == name) return std::string(value.expose());
  return "absent";
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

constexpr UnixTime k2015 = 1440938160;  // 2015-08-30T12:36:00Z, the time of AWS's examples

OutgoingRequest aws_request(const std::string& url) {
  OutgoingRequest request{.head = {.url = url}};
  return request;
}

std::string aws_signature(OutgoingRequest request, const std::string& service,
                          const std::string& token = "") {
  REQUIRE(sign_aws_sigv4(request, service, "us-east-1",
                         {"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", token},
                         k2015));
  const auto authorization = header(request, "Authorization");
  return authorization.substr(authorization.rfind('=') + 1);
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
  OutgoingRequest key{.head = {.url = "https://api.example/v1"}};
  REQUIRE(authenticate(key, strategy("header", {{"value_prefix", "Bearer "}}),
                       credentials({{"api_key", "k"}}), 0));
  CHECK(header(key, "Authorization") == "Bearer k");

  OutgoingRequest query{.head = {.url = "https://api.example/v1?a=b"}};
  REQUIRE(authenticate(query, strategy("query_param", {{"param_name", "key"}}),
                       credentials({{"api_key", "a&b"}}), 0));
  CHECK(query.head.url == "https://api.example/v1?a=b&key=a%26b");

  OutgoingRequest basic{.head = {.url = "https://api.example/"}};
  REQUIRE(authenticate(basic, strategy("basic_auth"),
                       credentials({{"username", "Aladdin"}, {"password", "open sesame"}}), 0));
  CHECK(header(basic, "Authorization") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");  // RFC 7617

  OutgoingRequest bad{.head = {.url = "https://api.example/"}};
  CHECK_FALSE(authenticate(bad, strategy("header"), credentials({{"api_key", "a\r\nX: 1"}}), 0));
  CHECK_FALSE(authenticate(bad, strategy("header"), credentials({{"api_key", "schlüssel"}}), 0));
  CHECK_FALSE(authenticate(bad, strategy("basic_auth"), credentials({{"username", "a:b"}}), 0));
}

TEST_CASE("HMACs are those of RFC 4231 and RFC 2202", "[strategy]") {
  const auto sha256 = [](const std::string& key, const std::string& text) {
    return hex(hmac(HmacAlgorithm::sha256, key, text));
  };
  CHECK(sha256(std::string(20, '\x0b'), "Hi There") ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(sha256("Jefe", "what do ya want for nothing?") ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(
      sha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First") ==
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  CHECK(hex(hmac(HmacAlgorithm::sha1, "Jefe", "what do ya want for nothing?")) ==
        "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");

  OutgoingRequest request{.head = {.method = "POST", .url = "https://api.example/"}};
  request.body = "what do ya want for nothing?";
  REQUIRE(authenticate(request, strategy("hmac_payload", {{"header_name", "X-Signature"}}),
                       credentials({{"api_secret", "Jefe"}}), 0));
  CHECK(header(request, "X-Signature") ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST_CASE("SigV4 signs AWS's own examples as AWS does", "[strategy]") {
  CHECK(aws_signature(aws_request("https://example.amazonaws.com/"), "service") ==
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
  auto iam = aws_request("https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08");
  iam.head.headers.emplace_back("Content-Type",
                                Secret("application/x-www-form-urlencoded; charset=utf-8"));
  CHECK(aws_signature(std::move(iam), "iam") ==
        "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
  // get-vanilla-query-order-key-case, get-relative, get-slashes, get-slash-dot-slash of the suite.
  CHECK(aws_signature(aws_request("https://example.amazonaws.com/?Param2=value2&Param1=value1"),
                      "service") ==
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
  const auto plain = aws_signature(aws_request("https://example.amazonaws.com/"), "service");
  for (const char* path : {"/example/..", "//", "/./"})
    CHECK(aws_signature(aws_request(std::string("https://example.amazonaws.com") + path),
                        "service") == plain);
}

TEST_CASE("what is signed anew replaces what was there", "[strategy]") {
  auto request = aws_request("https://example.amazonaws.com:8443/");
  request.head.headers.emplace_back("x-amz-date", Secret("19700101T000000Z"));
  request.head.headers.emplace_back("Authorization", Secret("mine"));
  REQUIRE(sign_aws_sigv4(request, "s3", "eu-west-1", {"AKID", "secret", "session"}, k2015));
  CHECK(header(request, "x-amz-date") == "absent");
  CHECK(header(request, "X-Amz-Date") == "20150830T123600Z");
  CHECK(header(request, "X-Amz-Security-Token") == "session");
  CHECK(header(request, "X-Amz-Content-Sha256") ==
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(has(header(request, "Authorization"),
            "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token"));
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
