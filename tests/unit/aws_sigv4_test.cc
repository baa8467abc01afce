#include "daemon/strategy/aws_sigv4.h"

#include <clocale>

#include "common/text.h"
#include "daemon/crypto/encoding.h"
#include "tests/support/aws_vectors.h"
#include "tests/support/catch.h"
#include "tests/support/variable.h"

using namespace nexus;
using namespace nexus::test;

namespace {

constexpr UnixTime k2015 = 1440938160;  // 2015-08-30T12:36:00Z, the time of AWS's examples
const aws::Keys kKeys{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""};

/// "Name:value" a line.
Headers headers_of(const std::string& lines) {
  Headers headers;
  for (const auto& line : split(lines, '\n')) {
    const auto colon = line.find(':');
    headers.emplace_back(line.substr(0, colon), Secret(line.substr(colon + 1)));
  }
  return headers;
}

/// What all vectors of a suite have in common.
struct Suite {
  std::string host;
  std::string date_header;
  std::string timestamp;
  aws::Scope scope;
};

const Suite kSuite{"example.amazonaws.com",
                   "X-Amz-Date:20150830T123600Z",
                   "20150830T123600Z",
                   {"service", "us-east-1"}};
const Suite kOldSuite{"host.foo.com",
                      "Date:Mon, 09 Sep 2011 23:36:00 GMT",
                      "20110909T233600Z",
                      {"host", "us-east-1"}};

/// The vector's .creq, put together from what it has of its own.
std::string canonical_text(const Suite& suite, const AwsVector& vector, const std::string& hash) {
  auto lines = split(vector.canonical_headers, '\n');
  lines.push_back("host:" + suite.host);
  const auto colon = suite.date_header.find(':');
  lines.push_back(lower(suite.date_header.substr(0, colon)) + suite.date_header.substr(colon));
  std::sort(lines.begin(), lines.end());
  std::vector<std::string> names;
  for (const auto& line : lines) names.push_back(line.substr(0, line.find(':')));
  return vector.method + "\n" + vector.canonical_path + "\n" + vector.canonical_query + "\n" +
         join(lines, "\n") + "\n\n" + join(names, ";") + "\n" + hash;
}

void check(const Suite& suite, const AwsVector& vector) {
  const auto& name = vector.name;
  CAPTURE(name);
  const std::string hash =
      name == "post-unsigned-payload" ? "UNSIGNED-PAYLOAD" : hex(sha256(vector.body));
  const auto& target = vector.target;
  const auto mark = std::min(target.find('?'), target.size());
  const auto headers = headers_of("Host:" + suite.host + "\n" + suite.date_header + "\n" +
                                  vector.headers + "\nUser-Agent:any\nAuthorization:any");
  const auto canonical = aws::canonical_request(
      {vector.method, suite.host, std::string_view(target).substr(0, mark),
       mark == target.size() ? "" : std::string_view(target).substr(mark + 1), headers, hash},
      {.normalised = !name.ends_with("-unnormalized")});
  const auto expected = canonical_text(suite, vector, hash);
  CHECK(std::string(canonical.text) == expected);
  const auto scope = suite.timestamp.substr(0, 8) + "/us-east-1/" + suite.scope.service;
  if (!vector.canonical_hash.empty())
    CHECK(aws::string_to_sign(suite.scope, suite.timestamp, canonical.text) ==
          "AWS4-HMAC-SHA256\n" + suite.timestamp + "\n" + scope + "/aws4_request\n" +
              vector.canonical_hash);
  CHECK(aws::authorization(kKeys, suite.scope, suite.timestamp, canonical) ==
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/" + scope + "/aws4_request, SignedHeaders=" +
            split(expected, '\n').end()[-2] + ", Signature=" + vector.signature);
}

std::string header(const RequestHead& request, const std::string& name) {
  std::string found = "absent";
  for (const auto& [key, value] : request.headers)
    if (lower(key) == lower(name)) {
      CHECK(found == "absent");
      found = value.expose();
    }
  return found;
}

RequestHead signed_for(const std::string& service, RequestHead request, const Payload& payload = {},
                       const aws::Keys& keys = kKeys) {
  REQUIRE(aws::sign(request, keys, {service, "us-east-1"}, payload, k2015));
  return request;
}

std::string signature(const RequestHead& request) {
  const auto text = header(request, "Authorization");
  return text.substr(text.rfind('=') + 1);
}

std::string signed_headers(const RequestHead& request) {
  const auto text = header(request, "Authorization");
  const auto at = text.find("SignedHeaders=") + 14;
  return text.substr(at, text.find(',', at) - at);
}

std::string refusal(const std::string& url, const std::string& service = "service",
                    const std::string& headers = "", const Payload& payload = {}) {
  RequestHead request{.url = url, .headers = headers_of(headers)};
  const auto done = aws::sign(request, kKeys, {service, "us-east-1"}, payload, k2015);
  if (!done) CHECK(done.error().code == ErrorCode::invalid_field);
  return done ? "" : done.error().message;
}

/// Path and query of the canonical request of that target.
std::string canonical_target(std::string_view target, aws::PathRules rules = {}) {
  const auto mark = std::min(target.find('?'), target.size());
  const auto query = mark == target.size() ? std::string_view() : target.substr(mark + 1);
  const auto text =
      aws::canonical_request({"GET", "h", target.substr(0, mark), query, {}, "hash"}, rules).text;
  const auto lines = split(std::string(text.substr(0, text.find("\nhost:"))), '\n');
  return lines.size() == 2 ? lines[1] : lines[1] + "?" + lines[2];
}

const std::string kEmptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

}  // namespace

TEST_CASE("SigV4 is made as the vectors of aws-c-auth have it (M1)", "[sigv4]") {
  for (const auto& vector : aws_vectors("aws-c-auth")) check(kSuite, vector);
}

TEST_CASE("SigV4 is made as the vectors of botocore have it (M1)", "[sigv4]") {
  for (const auto& vector : aws_vectors("botocore")) check(kOldSuite, vector);
}

TEST_CASE("a whole request is signed as AWS signs it (M1)", "[sigv4]") {
  for (const auto& vector : aws_vectors("aws-c-auth")) {
    const auto& name = vector.name;
    const auto& headers = vector.headers;
    // Not what a URL can have, and not what sign() adds by itself.
    if (name.ends_with("-unnormalized") || headers.find("mz-") != std::string::npos ||
        vector.target.find_first_of(" #\xe1") != std::string_view::npos)
      continue;
    CAPTURE(name);
    const auto request = signed_for("service",
                                    {.method = vector.method,
                                     .url = "https://example.amazonaws.com" + vector.target,
                                     .headers = headers_of(headers)},
                                    {.body = vector.body});
    CHECK(signature(request) == vector.signature);
    CHECK(header(request, "X-Amz-Date") == "20150830T123600Z");
    CHECK(header(request, "X-Amz-Content-Sha256") == "absent");
  }
  // The example of the IAM User Guide.
  CHECK(signature(signed_for(
            "iam", {.url = "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
                    .headers = headers_of(
                        "Content-Type:application/x-www-form-urlencoded; charset=utf-8")})) ==
        "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
}

TEST_CASE("S3's own examples are signed as it signs them (M2)", "[sigv4]") {
  constexpr UnixTime k2013 = 1369353600;  // 2013-05-24T00:00:00Z
  const aws::Keys keys{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""};
  const auto of = [&](RequestHead request, const Payload& payload = {}) {
    REQUIRE(aws::sign(request, keys, {"s3", "us-east-1"}, payload, k2013));
    return signature(request);
  };
  const std::string bucket = "https://examplebucket.s3.amazonaws.com";
  CHECK(of({.url = bucket + "/test.txt", .headers = headers_of("Range:bytes=0-9")}) ==
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
  CHECK(of({.method = "PUT",
            .url = bucket + "/test%24file.text",
            .headers = headers_of("Date:Fri, 24 May 2013 00:00:00 GMT\n"
                                  "x-amz-storage-class:REDUCED_REDUNDANCY")},
           {.body = "Welcome to Amazon S3."}) ==
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
  CHECK(of({.url = bucket + "/?lifecycle"}) ==
        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
  CHECK(of({.url = bucket + "/?max-keys=2&prefix=J"}) ==
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST_CASE("the path is signed as its service reads it (M2)", "[sigv4]") {
  const aws::PathRules s3{.normalised = false, .encoded_twice = false};
  struct Case {
    const char* path;
    const char* others;
    const char* in_s3;
  };
  for (const auto& [path, others, in_s3] :
       {Case{"/", "/", "/"}, Case{"//a//b", "/a/b", "//a//b"}, Case{"/a%20b", "/a%2520b", "/a%20b"},
        Case{"/a+b", "/a%2Bb", "/a%2Bb"}, Case{"/a%2Bb", "/a%252Bb", "/a%2Bb"},
        Case{"/a%2Fb", "/a%252Fb", "/a%2Fb"}, Case{"/a%2fb", "/a%252fb", "/a%2Fb"},
        Case{"/%41%7e", "/%2541%257e", "/A~"}, Case{"/a/./b/../c", "/a/c", "/a/./b/../c"},
        Case{"/a/..", "/", "/a/.."}, Case{"/a/b/..", "/a", "/a/b/.."}, Case{"/a/.", "/a", "/a/."},
        Case{"/../../a/", "/a/", "/../../a/"},
        Case{"/a:b@c!$&'()*,;=",  // as they stand in a URL
             "/a%3Ab%40c%21%24%26%27%28%29%2A%2C%3B%3D",
             "/a%3Ab%40c%21%24%26%27%28%29%2A%2C%3B%3D"},
        Case{"/%e1%88%b4", "/%25e1%2588%25b4", "/%E1%88%B4"}}) {
    CAPTURE(path);
    CHECK(canonical_target(path) == others);
    CHECK(canonical_target(path, s3) == in_s3);
  }
  for (const char* service : {"s3", "s3-outposts", "s3-object-lambda", "s3express"})
    CHECK(signature(signed_for(service, {.url = "https://b.example/a%20b"})) !=
          signature(signed_for(service, {.url = "https://b.example/a%2520b"})));
  // A path that is left out is "/".
  CHECK(signature(signed_for("service", {.url = "https://example.amazonaws.com"})) ==
        signature(signed_for("service", {.url = "https://example.amazonaws.com/"})));
  CHECK(signature(signed_for("s3", {.url = "https://b.example?a"})) ==
        signature(signed_for("s3", {.url = "https://b.example/?a="})));
}

TEST_CASE("the query is signed by encoded name, then value (M1)", "[sigv4]") {
  for (const auto& [query, canonical] : std::initializer_list<std::pair<const char*, const char*>>{
           {"b=2&a=1", "a=1&b=2"},
           {"a=2&a=1&a=", "a=&a=1&a=2"},
           {"b&a", "a=&b="},
           {"a-=1&a=2", "a=2&a-=1"},  // by names, not by the joined texts
           {"A=1&a=2&_=3", "A=1&_=3&a=2"},
           {"q=a+b", "q=a%20b"},
           {"q=a%2Bb", "q=a%2Bb"},
           {"q=a%2bb%3d", "q=a%2Bb%3D"},
           {"%71=%61%7E", "q=a~"},
           {"q=a=b", "q=a%3Db"},
           {"q=/?:@!$'()*,;", "q=%2F%3F%3A%40%21%24%27%28%29%2A%2C%3B"},
           {"=v", "=v"}})
    CHECK(canonical_target(std::string("/?") + query) == std::string("/?") + canonical);
}

TEST_CASE("the host is signed with a port that is not its scheme's own (M4)", "[sigv4]") {
  const auto host = [](const std::string& url) {
    const auto request = signed_for("service", {.url = url});
    for (const auto& guess : {"h.example", "h.example:8443", "h.example:80", "[::1]", "[::1]:9000",
                              "127.0.0.1:9000", "h.example:443"}) {
      const auto headers = headers_of("X-Amz-Date:20150830T123600Z");
      const auto canonical =
          aws::canonical_request({"GET", guess, "/", "", headers, kEmptyHash}, {});
      if (header(request, "Authorization") ==
          aws::authorization(kKeys, {"service", "us-east-1"}, "20150830T123600Z", canonical))
        return std::string(guess);
    }
    return std::string("none of them");
  };
  CHECK(host("https://h.example/") == "h.example");
  CHECK(host("https://h.example:443/") == "h.example");
  CHECK(host("https://h.example:8443/") == "h.example:8443");
  CHECK(host("https://h.example:80/") == "h.example:80");
  CHECK(host("http://h.example:80/") == "h.example");
  CHECK(host("http://h.example:443/") == "h.example:443");
  CHECK(host("https://[::1]/") == "[::1]");
  CHECK(host("http://[::1]:9000/") == "[::1]:9000");
  CHECK(host("http://127.0.0.1:9000/") == "127.0.0.1:9000");
}

TEST_CASE("what would not arrive as it was signed is refused (M3)", "[sigv4]") {
  for (const char* url :
       {"https://H.example/", "https://h.example:0443/", "https://u@h.example/",
        "https://u:p@h.example/", "http://0x7f.1/", "http://2130706433/", "http://[0:0::1]/",
        "https://h.example/a b", "https://h.example/\xe1\x88\xb4", "https://h.example/\\",
        "https://h.example/?a=\"", "https://h.example/%", "https://h.example/%zz",
        "https://h.example/a%2", "https://h.example/%00", "https://h.example/?a=%",
        "https://h.example/?%0g=", "ftp://h.example/", "h.example"}) {
    CAPTURE(url);
    CHECK(refusal(url) != "");
    CHECK(refusal(url, "s3") != "");
  }
  CHECK(refusal("https://h.example/", "service", "Host:h.example") == "");
  CHECK(refusal("https://h.example/", "service", "host:other.example") != "");
  CHECK(refusal("https://h.example/", "service", "Host:h.example\nHost:other.example") != "");
}

TEST_CASE("everything of the caller's is signed but what may change on the way (M4)", "[sigv4]") {
  const auto request = signed_for(
      "s3", {.method = "DELETE",
             .url = "https://b.example/",
             .headers = headers_of(
                 "Accept:a\nContent-Type:t\nX-Amz-Meta-A:1\nX-Custom:c\nUser-Agent:u\n"
                 "Accept-Encoding:gzip\nExpect:100-continue\nConnection:close\nKeep-Alive:5\n"
                 "TE:trailers\nTrailer:x\nTransfer-Encoding:chunked\nUpgrade:h2c\n"
                 "Proxy-Authorization:p\nProxy-Connection:c\ntraceparent:t\ntracestate:s\n"
                 "X-Amzn-Trace-Id:i\nAuthorization:mine")});
  CHECK(signed_headers(request) ==
        "accept;content-type;host;x-amz-content-sha256;x-amz-date;x-amz-meta-a;x-custom");
  CHECK(header(request, "user-agent") == "u");
  // Blanks of any kind at the ends and in between, and the order of what is repeated.
  const auto headers = headers_of("X-B: \t a \t b  c\t \nx-a:1\nX-A:\nX-a: 2");
  const auto canonical = aws::canonical_request({"GET", "h", "/", "", headers, "hash"}, {});
  CHECK(std::string(canonical.text) ==
        "GET\n/\n\nhost:h\nx-a:1,,2\nx-b:a b c\n\nhost;x-a;x-b\nhash");
}

TEST_CASE("an earlier signature is replaced, in headers and in the URL (M4)", "[sigv4]") {
  const std::string plain = "https://example.amazonaws.com/?b=1&a=%7e+";
  const auto request = signed_for(
      "s3",
      {.url = "https://example.amazonaws.com/?X-Amz-Algorithm=A&b=1&X-Amz-Credential=c%2F&"
              "X-Amz-Date=d&a=%7e+&X-Amz-Expires=9&X-Amz-SignedHeaders=host&"
              "X-Amz-Security-Token=t&X-Amz-%53ignature=s",
       .headers = headers_of("x-amz-date:19700101T000000Z\nX-AMZ-DATE:x\nauthorization:mine\n"
                             "Authorization:two\nx-amz-security-token:old\n"
                             "x-amz-content-sha256:UNSIGNED-PAYLOAD")},
      {}, {"AKID", "secret", "session"});
  CHECK(request.url == plain);
  CHECK(header(request, "X-Amz-Date") == "20150830T123600Z");
  CHECK(header(request, "X-Amz-Security-Token") == "session");
  CHECK(header(request, "X-Amz-Content-Sha256") == kEmptyHash);
  CHECK(signed_headers(request) == "host;x-amz-content-sha256;x-amz-date;x-amz-security-token");
  CHECK(signature(request) ==
        signature(signed_for("s3", {.url = plain}, {}, {"AKID", "secret", "session"})));
  CHECK(signed_for("service", {.url = plain}).url == plain);
  CHECK(header(signed_for("service",
                          {.url = plain, .headers = headers_of("X-Amz-Security-Token:old")}),
               "X-Amz-Security-Token") == "absent");
}

TEST_CASE("a session token is signed (M1)", "[sigv4]") {
  const char* token = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267";
  auto keys = kKeys;
  keys.session_token = token;
  const auto request = signed_for("service", {.url = "https://example.amazonaws.com/"}, {}, keys);
  CHECK(header(request, "X-Amz-Security-Token") == token);
  // get-vanilla-with-session-token
  CHECK(signature(request) == "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8");
}

TEST_CASE("the body's hash is over all of it, or told to be none (M2, M6)", "[sigv4]") {
  const auto hash = [](const std::string& service, const Payload& payload) {
    return header(signed_for(service, {.method = "PUT", .url = "https://b.example/k"}, payload),
                  "X-Amz-Content-Sha256");
  };
  using namespace std::string_view_literals;
  CHECK(hash("s3", {}) == kEmptyHash);
  CHECK(hash("s3", {.body = "a\0b"sv}) == hex(sha256("a\0b"sv)));
  CHECK(hash("s3", {.body = "a\0b"sv}) != hash("s3", {.body = "a"}));
  CHECK(hash("s3-outposts", {}) == kEmptyHash);
  CHECK(hash("s3express", {}) == kEmptyHash);
  CHECK(hash("s3tables", {}) == kEmptyHash);
  CHECK(hash("dynamodb", {}) == "absent");
  CHECK(hash("s3", {.is_unsigned = true}) == "UNSIGNED-PAYLOAD");
  const auto signature_of = [](const Payload& payload) {
    return signature(signed_for("s3", {.url = "https://b.example/"}, payload));
  };
  CHECK(signature_of({.is_unsigned = true}) != signature_of({}));
  CHECK(refusal("http://b.example/", "s3", "", {.is_unsigned = true}) != "");
  CHECK(refusal("https://b.example/", "dynamodb", "", {.is_unsigned = true}) != "");
}

TEST_CASE("the date is UTC's, wherever the machine is and whatever it speaks (M5)", "[sigv4]") {
  for (const char* zone : {"JST-9", "NST3:30NDT", "XXX+12"})
    for (const char* locale : {"tr_TR.UTF-8", "C.UTF-8"}) {
      const Variable tz("TZ", zone);
      const Variable language("LC_ALL", locale);
      tzset();
      const std::string before = std::setlocale(LC_ALL, nullptr);
      std::setlocale(LC_ALL, "");
      const auto request = signed_for("service", {.url = "https://example.amazonaws.com/"});
      std::setlocale(LC_ALL, before.c_str());
      CHECK(header(request, "X-Amz-Date") == "20150830T123600Z");
      CHECK(signature(request) ==
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
    }
  tzset();
}

TEST_CASE("what is told of a host that cannot be signed for can be shown (M1)", "[sigv4]") {
  RequestHead request;
  request.url = "https://u%2e%bc/";
  const auto refused = aws::sign(request, kKeys, {"s3", "us-east-1"}, {}, k2015);
  REQUIRE_FALSE(refused);
  CHECK(is_valid_utf8(refused.error().hint));
}
