#include <nlohmann/json.hpp>

#include "common/api/error.h"
#include "common/error.h"
#include "common/id.h"
#include "common/json.h"
#include "common/json_fields.h"
#include "common/secret.h"
#include "common/text.h"
#include "tests/support/catch.h"

using namespace nexus;

TEST_CASE("every error code comes back from its wire form", "[error]") {
  for (int i = 0; i <= static_cast<int>(ErrorCode::failure); ++i) {
    const auto code = static_cast<ErrorCode>(i);
    CHECK(info(error_from_wire(info(code).wire, info(code).status)).exit_code ==
          info(code).exit_code);
  }
  CHECK(error_from_wire("connection_not_active", "pending") == ErrorCode::connection_pending);
  CHECK(error_from_wire("connection_not_active", "failed") == ErrorCode::connection_failed);
  CHECK(error_from_wire("of_a_newer_daemon", "error") == ErrorCode::failure);
}

TEST_CASE("the exit codes are those of the manual", "[error]") {
  CHECK(info(ErrorCode::connection_pending).exit_code == 3);
  CHECK(info(ErrorCode::attention_required).exit_code == 4);
  CHECK(info(ErrorCode::command_not_executable).exit_code == 126);
  CHECK(info(ErrorCode::command_not_found).exit_code == 127);
  CHECK(info(ErrorCode::connection_failed).exit_code == 5);
  CHECK(info(ErrorCode::connection_not_found).exit_code == 6);
  CHECK(info(ErrorCode::vault_key_wrong).exit_code == 7);
  CHECK(info(ErrorCode::daemon_unreachable).exit_code == 8);
  CHECK(info(ErrorCode::upstream_error).exit_code == 10);
}

TEST_CASE("an attention error carries all three words that clients look for", "[error]") {
  const auto json =
      Json::parse(api::error_json({ErrorCode::attention_required, "m", "h", "conn_1", "google"}));
  CHECK(json["status"] == "attention_required");
  CHECK(json["code"] == "attention_required");
  CHECK(json["error"] == "attention_required");
  CHECK(json["provider"] == "google");
}

TEST_CASE("connection ids are conn_ and a ULID, all different, in order of time", "[id]") {
  std::string last;
  for (int i = 0; i < 1000; ++i) {
    const auto id = new_connection_id();
    REQUIRE(is_connection_id(id));
    REQUIRE(id != last);
    REQUIRE(id.substr(0, 15) >= last.substr(0, std::min<std::size_t>(15, last.size())));
    last = id;
  }
  CHECK_FALSE(is_connection_id("conn_01HXYZ"));
  CHECK_FALSE(is_connection_id("conn_01m856kmd7pknxexffb2gd416s"));
}

TEST_CASE("strict JSON refuses what two readers could read differently", "[json]") {
  for (const auto* text :
       {"", "null", "[]", "3", "{oops", "{}{}", R"({"a":1,"a":2})", R"({"b":{"a":1,"a":2}})",
        "{\"a\":\"\xff\"}", R"({"a":NaN})", "{\"a\":1}x"})
    CHECK_FALSE(parse_json_object(text).ok());
  CHECK(parse_json_object(R"({"a":{"b":[1,2]},"c":"é"})").ok());
  std::string deep = R"({"a":)";
  deep.append(100, '[');
  auto closed = deep;
  closed.append(100, ']').append(1, '}');
  CHECK_FALSE(parse_json_object(closed).ok());
  deep.append(200'000, '[');
  CHECK_FALSE(parse_json_object(deep).ok());
}

TEST_CASE("strict JSON that may be a list is held to the same", "[json]") {
  CHECK(parse_json_structure(R"([{"a":1},[]])").ok());
  CHECK(parse_json_structure(R"({"a":1})").ok());
  for (const auto* text :
       {"", "null", "\"a\"", "3", "[", "[]]", "[]{}", R"([{"a":1,"a":2}])", "[\"\xff\"]"})
    CHECK_FALSE(parse_json_structure(text).ok());
  for (const std::size_t levels : {64U, 65U, 200'000U}) {
    const auto text = std::string(levels, '[') + std::string(levels, ']');
    CHECK(parse_json_structure(text).ok() == (levels == 64));
  }
}

TEST_CASE("text from outside cannot steer a terminal or forge a line", "[text]") {
  CHECK(printable("a\x1b]0;title\x07"
                  "b\r\nlevel=info") == "a?]0;title?b??level=info");
  CHECK(printable("\xe2\x80\xae"
                  "abc") == "?abc");
  CHECK(printable("caf\xc3\xa9 \xff") == "caf\xc3\xa9 ?");
  CHECK(printable(std::string(5000, 'x')).size() == 512);
  CHECK(printable("caf\xc3\xa9", 4) == "caf");  // no longer than asked for
}

TEST_CASE("a text of many lines keeps them, and nothing else that moves a cursor", "[text]") {
  CHECK(printable_lines("a\tb\r\nc\x1b[2J\xc2\x9b\xe2\x80\xae\xff") == "a\tb?\nc?[2J???");
  CHECK(printable_lines(std::string(5000, 'x')).size() == 5000);
}

TEST_CASE("a character that a piece has cut in two waits for the next one", "[text]") {
  const std::string text = "a\xc3\xa9\xe6\x97\xa5\xf0\x9f\x98\x80";
  const std::size_t ends[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10};
  for (std::size_t size = 0; size <= text.size(); ++size)
    CHECK(whole_characters(text.substr(0, size)).size() == ends[size]);
  // What is no beginning of a character is not waited for.
  for (const std::string broken : {"\x80\x80\x80\x80", "\xc3\xa9\x80", "a\xff\x80\x80\x80"})
    CHECK(whole_characters(broken) == broken);
}

TEST_CASE("a document from outside is escaped, and stays the same document", "[text]") {
  const auto escaped = [](std::string_view text) { return std::string(escape_controls(text)); };
  CHECK(escaped("{\"a\":\"\x1b[2J\x7f\xc2\x9b\xe2\x80\xae\xe2\x81\xa9\xff\"}") ==
        "{\"a\":\"\\u001b[2J\\u007f\\u009b\\u202e\\u2069\\ufffd\"}");
  CHECK(escaped("{\r\n\t\"a\": \"caf\xc3\xa9\"}\n") == "{ \n \"a\": \"caf\xc3\xa9\"}\n");
  CHECK(escaped("") == "");
}

TEST_CASE("secrets that a provider echoes are masked, also when encoded", "[text]") {
  CHECK(printable_without("bad token s3cr3t/+x here", {"s3cr3t/+x"}) ==
        "bad token [redacted] here");
  CHECK(printable_without("bad s3cr3t%2F%2Bx", {"s3cr3t/+x"}) == "bad [redacted]");
}

TEST_CASE("percent encoding goes both ways", "[text]") {
  CHECK(percent_encode("a b/é~") == "a%20b%2F%C3%A9~");
  CHECK(form_encode("p%ss+w:rd &") == "p%25ss%2Bw%3Ard+%26");
  CHECK(percent_decode("a%2Fb+c", false) == "a/b+c");
  CHECK(percent_decode("a+b", true) == "a b");
  CHECK_FALSE(percent_decode("%2", false));
  CHECK_FALSE(percent_decode("%zz", false));
  CHECK_FALSE(percent_decode("%00", false));
}

TEST_CASE("a plain path is one to everybody", "[text]") {
  for (const char* path : {"/", "/auth/callback", "/a/b-c_d.e~f", "/a:b@c", "/.well-known/x"})
    CHECK(is_plain_path(path));
  for (const char* path : {"", "a", "//a", "/a//b", "/a/../b", "/..", "/a/.", "/a?b", "/a#b",
                           "/a%2fb", "/a b", "/a\\b", "/caf\xc3\xa9", "/a\x01", "/a<b>", "/a\"b"}) {
    CAPTURE(path);
    CHECK_FALSE(is_plain_path(path));
  }
}

TEST_CASE("a quoted value survives the shell", "[text]") {
  CHECK(shell_quote("a'b$(c)") == R"('a'\''b$(c)')");
}

TEST_CASE("a secret keeps its bytes through moves", "[secret]") {
  Secret a("short");
  Secret b(std::move(a));
  CHECK(b.expose() == "short");
  CHECK(b.copy().expose() == "short");
  CHECK(Secret().empty());
}

TEST_CASE("the JSON writer escapes what JSON wants escaped", "[json]") {
  JsonWriter json;
  json.begin().member("a", "q\"\\\n").begin("o").member("n", 3).end().member("z", "").end();
  CHECK(json.take() == R"({"a":"q\"\\\u000a","o":{"n":3},"z":""})");
}

TEST_CASE("the JSON writer escapes what has to be, and leaves everything else", "[json]") {
  const auto written = [](std::string_view text) {
    return JsonWriter().begin().member("t", text).end().take();
  };
  CHECK(written("") == R"({"t":""})");
  CHECK(written("plain") == R"({"t":"plain"})");
  CHECK(written("\"a\\b\"") == R"({"t":"\"a\\b\""})");
  CHECK(written(std::string_view("\n\x1f\0x", 4)) == R"({"t":"\u000a\u001f\u0000x"})");
  CHECK(written("\x7f") == "{\"t\":\"\x7f\"}");
  CHECK(written("gr\xc3\xbc\xc3\x9f \xe2\x82\xac") ==
        "{\"t\":\"gr\xc3\xbc\xc3\x9f \xe2\x82\xac\"}");
  // Of a text that is broken somewhere nothing beyond ASCII is believed.
  CHECK(written("a\xc3\xbc b\xff\"c") == R"({"t":"a\ufffd\ufffd b\ufffd\"c"})");
}

TEST_CASE("the JSON writer separates what stands in lists, and mends broken UTF-8", "[json]") {
  JsonWriter json;
  json.begin().begin_list("l").begin().end().begin().member("a", "\xff").end().item("x");
  json.end_list().member("t", std::vector<std::string>{"1", "2"}).flag("f", false);
  json.member_or_null("n", "").member_or_null("m", std::optional<std::int64_t>(4)).end();
  CHECK(json.take() == R"({"l":[{},{"a":"\ufffd"},"x"],"t":["1","2"],"f":false,"n":null,"m":4})");
}

TEST_CASE("a body is an object, and its secrets can be taken out", "[json]") {
  for (const auto* odd : {"[]", "1", "null", "\"a\"", "{\"a\":1,\"a\":2}", "{} {}", "{"})
    CHECK_FALSE(JsonFields::parse(odd));
  auto fields = JsonFields::parse(R"({"refresh_token":"secret","other":"x"})");
  REQUIRE(fields);
  CHECK(fields->take("refresh_token").expose() == "secret");
  CHECK(fields->take("refresh_token").expose() != "secret");
  CHECK(fields->take("missing").empty());
}
