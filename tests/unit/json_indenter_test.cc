#include "cli/output/json_indenter.h"

#include <nlohmann/json.hpp>

#include "tests/support/catch.h"

using namespace nexus;
using cli::JsonIndenter;

namespace {

/// Fed in parts of that size, as documents come.
std::string indented(const std::string& text, std::size_t part) {
  JsonIndenter indenter;
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += part)
    out += std::string(indenter.indent(text.substr(at, part)));
  return out;
}

}  // namespace

TEST_CASE("JSON for people is laid out as usual, however it comes", "[output]") {
  for (const char* text :
       {R"({"a":1,"b":[true,null,"x"],"c":{"d":{}},"e":[]})", R"([])", R"({})", R"([[],[1],{}])",
        R"({"text":"a,b:{}[]\"\\","more":"\\\\"})", R"({"é":"日本"})"}) {
    CAPTURE(text);
    const auto expected = nlohmann::ordered_json::parse(text).dump(2);
    for (std::size_t part = 1; part <= 7; ++part) CHECK(indented(text, part) == expected);
    CHECK(indented(text, 1000) == expected);
    const auto laid_out = nlohmann::ordered_json::parse(text).dump(4);
    for (std::size_t part = 1; part <= 7; ++part) CHECK(indented(laid_out, part) == expected);
  }
}

TEST_CASE("documents one after the other stay apart", "[output]") {
  CHECK(indented("[1]\n[2]\n", 100) == "[\n  1\n]\n[\n  2\n]\n");
  CHECK(indented("1 true\n\"a b\"", 100) == "1 true\n\"a b\"");
}

TEST_CASE("what is no JSON cannot make the layout grow beyond measure", "[output]") {
  CHECK(indented("]]}}", 100) == "\n]\n]\n}\n}");
  const std::size_t deep = 10'000;
  CHECK(indented(std::string(deep, '['), 1000).size() < deep * 200);
  CHECK(indented(std::string(deep, '[') + std::string(2 * deep, ']') + "[1]", 1000)
            .ends_with("[\n  1\n]"));
}
