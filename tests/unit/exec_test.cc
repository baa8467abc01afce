#include "cli/exec/assignment.h"
#include "cli/exec/child_variables.h"
#include "cli/exec/variable_name.h"
#include "cli/token_formats.h"
#include "tests/support/catch.h"
#include "tests/support/variable.h"

using namespace nexus;
using namespace nexus::cli;
using namespace std::string_literals;

namespace {

std::vector<std::string> of(ChildVariables& variables) {
  std::vector<std::string> all;
  for (const char* each : variables.list())
    if (each) all.emplace_back(each);
  return all;
}

bool has(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

}  // namespace

TEST_CASE("what --env, --file and --netrc say is taken apart", "[exec]") {
  const auto plain = parse_variable_assignment("--env", "TOKEN=work@example.com");
  REQUIRE(plain);
  CHECK(plain->variable == "TOKEN");
  CHECK(plain->connection == "work@example.com");
  CHECK(plain->field.empty());
  const auto field = parse_variable_assignment("--env", "_x9=conn_1:a:b=c");
  REQUIRE(field);
  CHECK(field->variable == "_x9");
  CHECK(field->connection == "conn_1");
  CHECK(field->field == "a:b=c");
  for (const char* bad : {"", "TOKEN", "TOKEN=", "=work", "TOKEN=:field", "TOKEN=work:", "A B=work",
                          "1A=work", "A-B=work", "Ä=work", "A\nB=work"}) {
    INFO(bad);
    const auto refused = parse_variable_assignment("--env", bad);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::usage);
    CHECK_FALSE(refused.error().hint.empty());
  }
  const auto netrc = parse_netrc_assignment("git.example.com=work:x-token-auth");
  REQUIRE(netrc);
  CHECK(netrc->host == "git.example.com");
  CHECK(netrc->connection == "work");
  CHECK(netrc->user == "x-token-auth");
  for (const char* bad :
       {"", "h", "h=", "=c", "h:8443=c", "https://h=c", "a b=c", "h\n=c", "u@h=c", "h=c:"}) {
    INFO(bad);
    CHECK_FALSE(parse_netrc_assignment(bad));
  }
}

TEST_CASE("no credential gets the name of what leads to code", "[exec]") {
  for (const char* name : {"PATH",
                           "IFS",
                           "ENV",
                           "BASH_ENV",
                           "LD_PRELOAD",
                           "LD_LIBRARY_PATH",
                           "LD_X",
                           "DYLD_INSERT_LIBRARIES",
                           "PYTHONPATH",
                           "NODE_OPTIONS",
                           "PERL5OPT",
                           "RUBYOPT",
                           "GIT_SSH_COMMAND",
                           "EDITOR",
                           "HOME",
                           "GCONV_PATH",
                           "SHELLOPTS",
                           "PS4",
                           "PROMPT_COMMAND",
                           "JAVA_TOOL_OPTIONS",
                           "BASH_FUNC_x"}) {
    INFO(name);
    CHECK_FALSE(check_variable_name(name));
  }
  for (const char* name :
       {"GITHUB_TOKEN", "path", "MY_PATH", "PATH_TOKEN", "LDAP_PASSWORD", "_", "a1"}) {
    INFO(name);
    CHECK(check_variable_name(name));
  }
  CHECK_FALSE(check_variable_name(std::string(256, 'A')));
}

TEST_CASE("a program's environment is ours, its own variables, and nothing of nexus", "[exec]") {
  const test::Variable url("NEXUS_URL", "https://nexus.example.com");
  const test::Variable key("API_KEY", "canary");
  const test::Variable stale("STALE", "other");
  const test::Variable kept("KEPT", "a=b");
  const test::Variable replaced("MINE", "other");
  ChildVariables variables;
  CHECK(variables.set("MINE", "secret", "work"));
  variables.leave_out("STALE");
  variables.leave_out("MINE");
  const auto all = of(variables);
  CHECK(has(all, "MINE=secret"));
  CHECK(has(all, "KEPT=a=b"));
  for (const char* gone : {"MINE=other", "STALE=other", "STALE=", "API_KEY=canary",
                           "NEXUS_URL=https://nexus.example.com"})
    CHECK_FALSE(has(all, gone));
  const auto twice = variables.set("MINE", "x", "--env MINE=home");
  REQUIRE_FALSE(twice);
  CHECK(twice.error().message == "MINE is given by work and by --env MINE=home");
  CHECK(variables.set("STALE", "x", "home"));
  CHECK_FALSE(variables.set("NUL", "a\0b"s, "home"));
}

TEST_CASE("curl's and netrc's forms say what can be said in them", "[exec]") {
  const auto payload = [](const std::string& strategy, const std::string& credentials) {
    return SecretText(R"({"strategy":)" + strategy + R"(,"credentials":)" + credentials + "}");
  };
  const auto query = payload(
      R"({"type":"query_param","config":{"param_name":"k y","credential_field":"api_key"}})",
      R"({"api_key":"a\"b\\c"})");
  CHECK(curl_config(query, "").ok());
  CHECK(*curl_config(query, "") == R"(url-query = "k%20y=a\"b\\c")"
                                   "\n");
  const auto token =
      payload(R"({"type":"oauth2"})", R"({"access_token":"at-1","note":"two\nlines"})");
  CHECK(*curl_config(token, "") == "header = \"Authorization: Bearer at-1\"\n");
  CHECK_FALSE(curl_config(token, "note"));
  CHECK_FALSE(header_line(token, "note"));
  CHECK(*netrc_line("h", *login_in(token, "")) == "machine h login oauth2 password at-1\n");
  CHECK_FALSE(netrc_line("h", *login_in(token, "note")));
  const auto basic =
      payload(R"({"type":"basic_auth","config":{"username_field":"u","password_field":"p"}})",
              R"({"u":"ada","p":"pw"})");
  CHECK(*netrc_line("h", *login_in(basic, "")) == "machine h login ada password pw\n");
  CHECK(*netrc_line("h", *login_in(basic, "p")) == "machine h login oauth2 password pw\n");
}
