#include "cli/output/wrapping.h"

#include "tests/support/catch.h"

using namespace nexus::cli;

namespace {

std::string shown(const std::string& lead, std::string_view text,
                  std::optional<std::size_t> columns) {
  std::string out;
  for (const auto& line : laid_out(lead, text, columns)) out += line.lead + line.text + "\n";
  return out;
}

}  // namespace

TEST_CASE("a text goes on below itself, and is one line where there is no terminal", "[wrapping]") {
  CHECK(shown("reason  ", "one two three", 80) == "reason  one two three\n");
  CHECK(shown("reason  ", "the provider does not answer any more", 30) ==
        "reason  the provider does not\n        answer any more\n");
  CHECK(shown("reason  ", "the provider does not answer", std::nullopt) ==
        "reason  the provider does not answer\n");
}

TEST_CASE("where the lead leaves no room for the words, they stand below it", "[wrapping]") {
  const std::string lead = "authorization endpoint  ";
  CHECK(shown(lead, "set, fingerprint 12345678", 40) ==
        "authorization endpoint\n    set, fingerprint 12345678\n");
  CHECK(shown(lead, "set", 40) == lead + "set\n");
  CHECK(shown(lead, "https://id.example.com/oauth2/authorize", 60) ==
        "authorization endpoint\n    https://id.example.com/oauth2/authorize\n");
}

TEST_CASE("a command stays in one line, as it is there to be copied", "[wrapping]") {
  CHECK(shown("  ", "run: nexus connect github --replace work", 40) ==
        "  run:\n  nexus connect github --replace work\n");
  CHECK(shown("  ", "finish the consent, or run: chmod go-w '/home/me/nexus.toml'", 40) ==
        "  finish the consent, or run:\n  chmod go-w '/home/me/nexus.toml'\n");
  CHECK(shown("  ", "did you mean work? (see: nexus list) Else make one", 30) ==
        "  did you mean work? (see:\n  nexus list) Else make one\n");
  CHECK(
      shown("", "nexus provider catalog lists those; register with: nexus provider add NAME", 40) ==
      "nexus provider catalog lists those;\nregister with: nexus provider add NAME\n");
}
