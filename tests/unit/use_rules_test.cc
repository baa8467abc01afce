// What is said of who may use a connection: read strictly, written as it is read.
#include "common/api/use_rules.h"

#include "tests/support/catch.h"

using namespace nexus;
using api::UseRules;

namespace {

const std::string kDigits(64, 'a');

ErrorCode refused(const std::string& json) {
  const auto rules = api::use_rules_in(json);
  return rules ? ErrorCode::failure : rules.error().code;
}

}  // namespace

TEST_CASE("use rules are written as they are read", "[access]") {
  const auto text = R"({"programs":["/usr/bin/git","/opt/b c@sha256:)" + kDigits +
                    R"("],"uids":["0","1000"],"groups":["ci"],"confirm_minutes":0})";
  const auto rules = api::use_rules_in(text);
  REQUIRE(rules);
  CHECK(rules->bind_anybody());
  CHECK(rules->programs.at(1).path == "/opt/b c");
  CHECK(rules->programs.at(1).sha256 == kDigits);
  CHECK(rules->uids == std::vector<std::int64_t>{0, 1000});
  CHECK(rules->confirm_minutes == 0);
  CHECK(api::to_json(*rules) == text);
  CHECK(api::to_json(*api::parse<UseRules>(text)) == text);
  CHECK(api::in_words(*rules) == "programs: /usr/bin/git /opt/b c@sha256:" + kDigits +
                                     "; users: 0 1000; groups: ci; confirmed: every use");
}

TEST_CASE("everybody is said, not left out", "[access]") {
  const auto everybody = api::use_rules_in(R"({"everybody":true})");
  REQUIRE(everybody);
  CHECK_FALSE(everybody->bind_anybody());
  CHECK(refused("{}") == ErrorCode::missing_fields);
  CHECK(refused(R"({"everybody":false})") == ErrorCode::missing_fields);
  CHECK(refused(R"({"programs":[],"uids":[]})") == ErrorCode::missing_fields);
  CHECK(refused(R"({"everybody":true,"uids":["1"]})") == ErrorCode::invalid_field);
}

TEST_CASE("a rule that cannot be meant opens nothing", "[access]") {
  const auto* json = GENERATE(
      R"({"uids":["1"],"program":["/usr/bin/git"]})", R"({"programs":["git"]})",
      R"({"programs":["./git"]})", R"({"programs":["/a\nb"]})", R"({"programs":["/a@sha256:"]})",
      R"({"programs":["/a@sha256:zz"]})", R"({"programs":"/usr/bin/git"})", R"({"uids":["root"]})",
      R"({"uids":["-1"]})", R"({"uids":["4294967295"]})", R"({"uids":[1]})", R"({"groups":[""]})",
      R"({"confirm_minutes":-1})", R"({"confirm_minutes":1441})", R"({"confirm_minutes":"soon"})");
  INFO(json);
  CHECK(refused(json) == ErrorCode::invalid_field);
}
