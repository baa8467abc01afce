#include "daemon/token/downscoped_tokens.h"

#include "tests/support/catch.h"

using namespace nexus;

TEST_CASE("a token for a part has a place for each connection and target, until they are over",
          "[narrow]") {
  VaultHeader header;
  const auto vault = Vault::create(Secret(std::string(32, 'k')), header);
  DownscopedTokens narrow(vault);
  const TokenTarget read{"read", ""};
  const TokenTarget api{"read", "https://api.example"};
  narrow.keep("conn_1", read, {"Bearer", "read", 1, 2}, Secret("at-read"));
  narrow.keep("conn_1", api, {"Bearer", "read", 1, 2}, Secret("at-api"));
  narrow.keep("conn_2", read, {"Bearer", "read", 1, 2}, Secret("at-other"));

  const auto kept = narrow.find("conn_1", read);
  REQUIRE(kept);
  CHECK(kept->facts.scopes == "read");
  CHECK(kept->sealed.find("at-read") == std::string::npos);
  CHECK(narrow.open("conn_1", read, *kept)->expose() == "at-read");
  CHECK_FALSE(narrow.open("conn_1", api, *kept));
  CHECK_FALSE(narrow.open("conn_2", read, *kept));
  CHECK_FALSE(narrow.find("conn_1", {"write", ""}));

  narrow.forget("conn_1");
  CHECK_FALSE(narrow.find("conn_1", read));
  CHECK_FALSE(narrow.find("conn_1", api));
  CHECK(narrow.find("conn_2", read));
}

TEST_CASE("of too many tokens for parts the longest unused go", "[narrow]") {
  VaultHeader header;
  const auto vault = Vault::create(Secret(std::string(32, 'k')), header);
  DownscopedTokens narrow(vault);
  const auto target = [](int n) { return TokenTarget{"s" + std::to_string(n), ""}; };
  for (int n = 0; n < 1000; ++n) narrow.keep("conn_1", target(n), {}, Secret("t"));
  CHECK(narrow.find("conn_1", target(0)));
  narrow.keep("conn_1", target(1000), {}, Secret("t"));
  CHECK(narrow.find("conn_1", target(0)));
  CHECK_FALSE(narrow.find("conn_1", target(1)));
  CHECK(narrow.find("conn_1", target(1000)));
}
