// What a secret may not have, and how the command line takes one in.
#include "common/secret_fault.h"

#include <nlohmann/json.hpp>

#include "cli/secret_reader.h"
#include "common/json.h"
#include "daemon/provider/registration.h"
#include "tests/support/catch.h"

using namespace nexus;
using namespace std::string_literals;

TEST_CASE("what cannot be seen in a secret is named, with its place", "[secret]") {
  const auto fault = [](std::string_view text) { return fault_of_secret(text, SecretForm::line); };
  CHECK(fault("pass\u200bword") == "has U+200B (a zero width space) as its character 5");
  CHECK(fault("\u00a0word") == "has U+00A0 (a no-break space) as its character 1");
  CHECK(fault("größe\ufeff") == "has U+FEFF (a byte order mark) as its character 6");
  CHECK(fault("a\tb") == "has U+0009 (a tab) as its character 2");
  CHECK(fault("a\nb") == "has U+000A (a line break) as its character 2");
  CHECK(fault("a\0b"s) == "has U+0000 (a control character) as its character 2");
  CHECK(fault("a\x7f") == "has U+007F (a control character) as its character 2");
  CHECK(fault("a\u202eb") == "has U+202E (a direction mark) as its character 2");
  CHECK(fault("a\U000E0041") == "has U+E0041 (a tag) as its character 2");
  CHECK(fault("ab\xe9") == "has a byte that is not UTF-8 as its character 3");
  CHECK(fault("\x80") == "has a byte that is not UTF-8 as its character 1");
  CHECK(fault("\xff\xfeh\0i\0"s) == "is UTF-16 text, not UTF-8");
  CHECK(fault("h\0i\0"s) == "is UTF-16 text, not UTF-8");
  CHECK(fault("\0h\0i"s) == "is UTF-16 text, not UTF-8");
}

TEST_CASE("what can be seen is a secret, in any script", "[secret]") {
  for (const char* text :
       {"", "s3cret", "two words", "~!@#$%^&*()", "größe", "пароль", "密码", "🔑"})
    CHECK(fault_of_secret(text, SecretForm::line).empty());
  CHECK(fault_of_secret("-----BEGIN X-----\r\n\tAA==\n", SecretForm::lines).empty());
  CHECK_FALSE(fault_of_secret("-----BEGIN X-----\nAA\u200b==\n", SecretForm::lines).empty());
}

TEST_CASE("what is around a secret is cut off when it is taken in", "[secret]") {
  const auto taken = [](std::string_view text) { return cli::take_secret(text, "file"); };
  CHECK(taken("\ufeff  s3cret \r\n")->expose() == "s3cret");
  CHECK(taken("\r\n")->empty());
  CHECK(taken("{\n\t\"a\": 1\n}\n")->expose() == "{\n\t\"a\": 1\n}");
  const auto refused = taken("s3cret\u200b");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::usage);
  CHECK(refused.error().message == "file has U+200B (a zero width space) as its character 7");
}

TEST_CASE("a PEM key in one line with written line ends gets its lines back", "[secret]") {
  Json body{
      {"name", "p"},
      {"issuer", "https://op.example"},
      {"client_id", "c"},
      {"private_key", R"(-----BEGIN PRIVATE KEY-----\nAAAA\nBBBB\n-----END PRIVATE KEY-----\n)"}};
  const auto read = read_registration(body);
  REQUIRE(read);
  CHECK(read->client_secret->expose() ==
        "-----BEGIN PRIVATE KEY-----\nAAAA\nBBBB\n-----END PRIVATE KEY-----\n");
}
