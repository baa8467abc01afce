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
  }
}
