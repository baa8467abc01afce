#include <vector>

#include "cli/jq/program.h"
#include "tests/support/catch.h"

using namespace nexus;
using cli::jq::Program;
using Lines = std::vector<std::string>;

namespace {

struct Outcome {
  Lines lines;
  std::string error;  ///< "" for none
};

Outcome run(Program& program, std::string_view text) {
  Outcome outcome;
  const auto ran = program.run(text, [&](std::string_view line) -> Result<void> {
    outcome.lines.emplace_back(line);
    return {};
  });
  if (!ran) outcome.error = ran.error().message;
  return outcome;
}

Outcome run(const std::string& expression, std::string_view text) {
  auto program = Program::compile(expression);
  REQUIRE(program);
  return run(*program, text);
}

}  // namespace

TEST_CASE("a text among the results is told as it is, everything else as JSON on one line",
          "[jq]") {
  CHECK(run(".[]", R"(["a\nb\u0000c",1,true,null,{"a": [1, "é"]}])").lines ==
        Lines{std::string("a\nb\0c", 5), "1", "true", "null", R"({"a":[1,"é"]})"});
  CHECK(run("empty", "1").lines == Lines{});
}

TEST_CASE("values that stand one after the other each go through the expression", "[jq]") {
  CHECK(run(".a", "{\"a\":1}\n{\"a\":2}").lines == Lines{"1", "2"});
  CHECK(run(".", "").lines == Lines{});
}

TEST_CASE("there are no other inputs than the value at hand", "[jq]") {
  CHECK(run("try input catch .", "1 2").lines == Lines{"break", "break"});
  CHECK(run("[inputs]", "1").lines == Lines{"[]"});
  CHECK(run("[., (try input_filename catch 0)]", "1").lines.size() == 1);
}

TEST_CASE("an expression serves page after page, also after one that failed", "[jq]") {
  auto program = Program::compile(".a | if . == 9 then halt else . end");
  REQUIRE(program);
  CHECK(run(*program, R"({"a":1})").lines == Lines{"1"});
  CHECK(run(*program, "[1]").error.find("Cannot index array") != std::string::npos);
  CHECK(run(*program, R"({"a":9} {"a":3})").lines == Lines{});
  CHECK(run(*program, R"({"a":2})").lines == Lines{"2"});
}

TEST_CASE("what is no expression is told before there is anything to run it on", "[jq]") {
  for (const char* wrong : {".a |", "foo", "{", "$x", "import \"x\" as x; .", ".a as [$b"}) {
    CAPTURE(wrong);
    const auto program = Program::compile(wrong);
    REQUIRE_FALSE(program);
    CHECK(program.error().code == ErrorCode::usage);
    CHECK(program.error().message.find('\n') == std::string::npos);
    CHECK(program.error().message.starts_with("'--jq' takes no such expression: "));
    CHECK(program.error().message.size() > 40);
  }
}

TEST_CASE("an answer that is no JSON is an error, and nothing of it is told", "[jq]") {
  for (const char* wrong : {"<html>", "[1", "[1] [", "{\"a\":}", "\"a", "no"}) {
    CAPTURE(wrong);
    const auto outcome = run(".", wrong);
    CHECK(outcome.lines.empty());
    CHECK(outcome.error.starts_with("the answer is no JSON: "));
  }
}

TEST_CASE("JSON that is too deep is an error, up to there it is none", "[jq]") {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  CHECK(run("[..] | length", nested(200)).lines == Lines{"200"});
  CHECK(run(".", nested(300)).error.find("depth") != std::string::npos);
  CHECK(run(".", std::string(5'000'000, '[')).error.find("depth") != std::string::npos);
}

TEST_CASE("an expression that fails or halts says with what", "[jq]") {
  const auto failed = run(".[] | if . == 2 then error(\"no twos\") else . end", "[1,2,3]");
  CHECK(failed.lines == Lines{"1"});
  CHECK(failed.error == "the expression of --jq failed: no twos");
  CHECK(run("error({a:1})", "1").error == R"(the expression of --jq failed: {"a":1})");
  CHECK(run("\"enough\\n\" | halt_error", "1").error == "the expression of --jq halted: enough");
  const auto halted = run(".[] | if . == 2 then halt else . end", "[1,2,3]");
  CHECK(halted.lines == Lines{"1"});
  CHECK(halted.error.empty());
}

TEST_CASE("an expression is ended by whoever takes its results", "[jq]") {
  auto program = Program::compile("repeat(.)");
  REQUIRE(program);
  int told = 0;
  const auto ran = program->run("1", [&](std::string_view) -> Result<void> {
    if (++told < 3) return {};
    return Error{ErrorCode::failure, "enough"};
  });
  REQUIRE_FALSE(ran);
  CHECK(ran.error().message == "enough");
  CHECK(told == 3);
}
