// What may follow on a command line that is being written.
#include "cli/completion/bash_line.h"
#include "cli/completion/expected.h"
#include "cli/completion/names.h"
#include "tests/support/catch.h"

using namespace nexus;
using namespace nexus::cli;

namespace {

using Words = std::vector<std::string>;

/// A program with a command of each kind.
struct Program {
  std::string workspace, format, file, connection, name;
  bool json = false, include = false, verbose = false;
  std::optional<bool> proxy;
  Words scopes, connections, variables, program, request;
  CommandLine line{
      .name = "nexus",
      .arguments = {{"--json", &json, "print JSON"},
                    {"--workspace", &workspace, "workspace", {.names = Names::workspace}}},
      .commands = {
          {.name = "token",
           .summary = "Print a token",
           .arguments = {{"connection", &connection, "whose", {.names = Names::connection}},
                         {"--format", &format, "how", {.one_of = {"raw", "json"}}},
                         {"--scope", &scopes, "a scope"},
                         {"--secret", &name, "", {.hidden = true}},
                         {"--proxy", &proxy, "through it"}}},
          {.name = "api",
           .arguments = {{"connection", &connection, "whose", {.names = Names::connection}},
                         {"request", &request, "a path"},
                         {"-o,--output", &file, "into", {.names = Names::file}},
                         {"-i,--include", &include, "headers, too"},
                         {"-v,--verbose", &verbose, "more"}}},
          {.name = "alias",
           .arguments = {{"connection", &connection, "whose", {.names = Names::connection}},
                         {"name", &name, "its new alias"}}},
          {.name = "exec",
           .arguments =
               {{"connections", &connections, "whose", {.names = Names::connection}},
                {"--env", &variables, "a variable", {.names = Names::connection_by_variable}}},
           .runs = &program},
          {.name = "key",
           .summary = "API keys",
           .alias = "keys",
           .commands = {{.name = "list", .summary = "List them"},
                        {.name = "revoke",
                         .arguments = {{"key", &name, "which", {.names = Names::key}}}}}}}};

  Expected at(const Words& words, const std::string& current = "") const {
    return expected_at(line, words, current);
  }
};

Words words_of(const Expected& expected) {
  Words words;
  for (const auto& each : expected.words) words.push_back(each.word);
  return words;
}

bool has(const Expected& expected, const std::string& word) {
  const auto words = words_of(expected);
  return std::find(words.begin(), words.end(), word) != words.end();
}

const std::string kBreaks = " \t\n\"'@><=;|&(:";

api::Connection connection(const std::string& id, const std::string& provider,
                           const std::string& alias = "",
                           ConnectionStatus status = ConnectionStatus::active) {
  api::Connection made;
  made.id = id;
  made.provider = provider;
  made.alias = alias;
  made.status = status;
  return made;
}

Words names(const std::vector<api::Connection>& connections) {
  Words all;
  for (const auto& each : names_of(connections)) all.push_back(each.word);
  return all;
}

}  // namespace

TEST_CASE("commands follow where one has to be named, with what they do", "[completion]") {
  const Program program;
  CHECK(words_of(program.at({})) == Words{"token", "api", "alias", "exec", "key", "help"});
  CHECK(program.at({}).words.front().description == "Print a token");
  CHECK(words_of(program.at({"--json", "--workspace", "token"})) == words_of(program.at({})));
  CHECK(words_of(program.at({"key"})) == Words{"list", "revoke"});
  CHECK(words_of(program.at({"keys"})) == Words{"list", "revoke"});
  CHECK(program.at({"keys", "revoke"}).names == Names::key);
  for (const auto& lost : {Words{"tokn"}, Words{"key", "lst"}}) {
    CHECK(program.at(lost).words.empty());
    CHECK(program.at(lost, "-").words.empty());
  }
}

TEST_CASE("behind help commands follow, and nothing else", "[completion]") {
  const Program program;
  CHECK(words_of(program.at({"help"})) == Words{"token", "api", "alias", "exec", "key"});
  CHECK(words_of(program.at({"help", "key"})) == Words{"list", "revoke"});
  CHECK(program.at({"help", "token"}).names == Names::nothing);
  CHECK(program.at({"help", "token"}, "-").words.empty());
  CHECK(program.at({"help", "tokn"}).words.empty());
}

TEST_CASE("an option follows once, unless it repeats, and never a hidden one", "[completion]") {
  const Program program;
  CHECK(words_of(program.at({"token"}, "-")) ==
        Words{"--format", "--scope", "--proxy", "--no-proxy", "--json", "--workspace", "--help"});
  const auto rest = Words{"--scope", "--workspace", "--help"};
  CHECK(words_of(program.at({"token", "--no-proxy", "--scope", "a", "--format=raw", "--json"},
                            "--")) == rest);
  CHECK(words_of(program.at({"--json", "token", "--format", "raw", "--proxy"}, "-")) == rest);
  const auto letters = program.at({"api", "a", "-iv"}, "-");
  CHECK(has(letters, "-o"));
  CHECK(has(letters, "--output"));
  for (const char* given : {"-i", "--include", "-v", "--verbose"}) CHECK_FALSE(has(letters, given));
  CHECK(has(program.at({}, "-"), "--version"));
  CHECK_FALSE(has(program.at({"token"}, "-"), "--version"));
}

TEST_CASE("an option's value follows behind a blank and behind =", "[completion]") {
  const Program program;
  CHECK(words_of(program.at({"token", "--format"})) == Words{"raw", "json"});
  CHECK(words_of(program.at({"token"}, "--format=")) == Words{"--format=raw", "--format=json"});
  CHECK(program.at({"token", "--format"}).what == "how");
  CHECK(program.at({"token", "--workspace"}).names == Names::workspace);
  const auto workspace = program.at({"token"}, "--workspace=a");
  CHECK(workspace.names == Names::workspace);
  CHECK(workspace.prefix == "--workspace=");
  CHECK(program.at({"api", "x", "-o"}).kind == Expected::Kind::file);
  CHECK(program.at({"api"}, "--output=").kind == Expected::Kind::file);
  for (const char* none : {"--json=", "--nothing=", "--secret=", "--scope="})
    CHECK(program.at({"token"}, none).words.empty());
  CHECK(program.at({"token", "--scope"}).words.empty());
}

TEST_CASE("what is written of an option's value counts for what follows", "[completion]") {
  Program program;
  CHECK(program.at({"--workspace", "one", "token"}).names == Names::connection);
  CHECK(program.workspace == "one");
  CHECK(program.at({"token", "--workspace=two", "--format", "raw"}).names == Names::connection);
  CHECK(program.workspace == "two");
  CHECK(program.at({"api", "-ofile"}).names == Names::connection);
  CHECK(program.at({"api", "-io", "file"}).names == Names::connection);
}

TEST_CASE("words follow in their order, then options", "[completion]") {
  const Program program;
  CHECK(program.at({"alias"}).names == Names::connection);
  CHECK(program.at({"alias", "work"}).names == Names::nothing);
  CHECK(program.at({"alias", "work"}).what == "its new alias");
  CHECK(has(program.at({"alias", "work", "home"}), "--json"));
  CHECK(words_of(program.at({"key", "list"})) == Words{"--json", "--workspace", "--help"});
  CHECK(program.at({"alias", "-"}).names == Names::nothing);  // "-" is a word
  CHECK(program.at({"token", "--"}).names == Names::connection);
  CHECK(program.at({"token", "--"}, "-").names == Names::connection);
  CHECK(program.at({"token", "--", "work"}, "-").words.empty());
}

TEST_CASE("a program's own words follow behind --", "[completion]") {
  const Program program;
  const auto connections = program.at({"exec", "work", "home"});
  CHECK(connections.names == Names::connection);
  CHECK(connections.given == Words{"work", "home"});
  CHECK(has(connections, "--"));
  CHECK(program.at({"exec", "work", "--"}).kind == Expected::Kind::program);
  CHECK(program.at({"exec", "--", "make", "--"}, "--j").kind == Expected::Kind::program);
  CHECK(program.at({"token", "--"}).kind == Expected::Kind::words);
}

TEST_CASE("a connection follows behind a variable's =", "[completion]") {
  const Program program;
  CHECK(program.at({"exec", "--env"}, "TOK").names == Names::nothing);
  CHECK(program.at({"exec", "--env"}, "TOKEN=w").names == Names::connection);
  CHECK(program.at({"exec", "--env"}, "TOKEN=w").prefix == "TOKEN=");
  CHECK(program.at({"exec"}, "--env=TOKEN=w").prefix == "--env=TOKEN=");
}

TEST_CASE("bash's line is read as bash reads it, and nothing in it is expanded", "[completion]") {
  const auto read = [](std::string_view line) { return read_bash_line(line, kBreaks); };
  CHECK(read("nexus  token\twork").words == Words{"nexus", "token"});
  CHECK(read("nexus  token\twork").current == "work");
  CHECK(read("nexus token ").words == Words{"nexus", "token"});
  CHECK(read("nexus token ").current.empty());
  CHECK(read("nexus 'a b' \"c \\\" d\" e\\ f \"\" x").words ==
        Words{"nexus", "a b", "c \" d", "e f", ""});
  CHECK(read("nexus $(touch x) `id` $HOME ~").words ==
        Words{"nexus", "$(touch", "x)", "`id`", "$HOME"});
  CHECK(read("nexus \"a 'b").current == "a 'b");
  CHECK(read("nexus \"a 'b").quote == '"');
  CHECK(read("nexus 'a\\").current == "a\\");
  CHECK(read("nexus a\\").current == "a");
  CHECK(read("").words.empty());
}

TEST_CASE("bash replaces what follows the last break or the open quote", "[completion]") {
  const auto put = [](std::string_view line, std::string_view word,
                      const std::string& breaks = kBreaks) {
    return replacement(read_bash_line(line, breaks), word);
  };
  CHECK(put("nexus token wo", "work") == "work");
  CHECK(put("nexus token --format=j", "--format=json") == "json");
  CHECK(put("nexus token --format=", "--format=json") == "json");
  CHECK(put("nexus token --format=j", "--format=json", " \t\n") == "--format=json");
  CHECK(put("nexus key --use provider:g", "provider:github") == "github");
  CHECK(put("nexus exec --env=A=", "--env=A=work") == "work");
  CHECK(put("nexus token ann@ex", "ann@example.com") == "example.com");
  CHECK(put("nexus token a\\:b", "a:bc") == "a:bc");
  CHECK(put("nexus token 'a:b'c", "a:bcd") == "a:bcd");
  CHECK(put("nexus token \"a:b", "a:bc") == "a:bc");
  CHECK(put("nexus key --use=\"pro", "--use=provider:x") == "provider:x");
}

TEST_CASE("whatever is in a word, bash takes it for that word", "[completion]") {
  const std::string word = "a b$(x)`y`\"z'!\\;&|<>*?[]{}~#";
  const auto put = [&](const std::string& line) {
    return replacement(read_bash_line(line, kBreaks), word);
  };
  CHECK(put("nexus ") ==
        "a\\ b\\$\\(x\\)\\`y\\`\\\"z\\'\\!\\\\\\;\\&\\|\\<\\>\\*\\?\\[\\]\\{\\}\\~\\#");
  CHECK(put("nexus 'a") == "a b$(x)`y`\"z'\\''!\\;&|<>*?[]{}~#");
  CHECK(put("nexus \"a") == "a b\\$(x)\\`y\\`\\\"z'\"'!'\"\\\\;&|<>*?[]{}~#");
  // Of the open quote bash replaces one in front, and does not add one behind another.
  CHECK(replacement(read_bash_line("nexus '", kBreaks), "'a") == "''\\''a");
  CHECK(replacement(read_bash_line("nexus 'a", kBreaks), "a'") == "a'\\'''");
  CHECK(replacement(read_bash_line("nexus \"a", kBreaks), "a\"") == "a\\\"\"");
  CHECK(replacement(read_bash_line("nexus \"a", kBreaks), "a!") == "a\"'!'\"\"");
  for (const char* before : {"nexus ", "nexus 'a", "nexus \"a"}) {
    const auto line = read_bash_line(before, kBreaks);
    const auto whole = std::string(before).substr(0, 6 + (line.quote ? 1 : 0)) +
                       replacement(line, word) + std::string(line.quote ? 1 : 0, line.quote);
    CHECK(read_bash_line(whole, kBreaks).current == word);
  }
}

TEST_CASE("a connection is called by the name that means it", "[completion]") {
  using enum ConnectionStatus;
  CHECK(names({connection("conn_1", "github", "work")}) == Words{"work"});
  CHECK(names({connection("conn_1", "github")}) == Words{"github"});
  CHECK(names({connection("conn_1", "github"), connection("conn_2", "github", "work")}) ==
        Words{"conn_1", "work"});
  // One that needs a person does not count beside one that works.
  CHECK(names({connection("conn_1", "github"),
               connection("conn_2", "github", "", attention_required)}) ==
        Words{"github", "conn_2"});
  CHECK(names({connection("conn_1", "github", "", attention_required)}) == Words{"github"});
  // Who says "slack" means the provider's, or is told that it is ambiguous.
  CHECK(names({connection("conn_1", "github", "Slack"), connection("conn_2", "slack")}) ==
        Words{"github", "slack"});
  CHECK(names_of({connection("conn_1", "github", "work")}).front().description == "github, active");
}
