#include "common/suggestion.h"
#include "tests/support/catch.h"

using namespace nexus;

TEST_CASE("a mistyped word leads to the one that was meant", "[suggestion]") {
  const std::vector<std::string> words{"token", "connect", "status", "list", "github", "google"};
  CHECK(suggestion("tokn", words) == "token");
  CHECK(suggestion("toekn", words) == "token");
  CHECK(suggestion("conect", words) == "connect");
  CHECK(suggestion("gihub", words) == "github");
  CHECK(suggestion("goggle", words) == "google");
  CHECK(suggestion("lists", words) == "list");
  for (const auto* other : {"", "x", "banana", "disconnect", "to"})
    CHECK_FALSE(suggestion(other, words));
  CHECK_FALSE(suggestion(std::string(5000, 't'), words));
}

TEST_CASE("all that are equally near may be meant, in their order", "[suggestion]") {
  const std::vector<std::string> words{"slack", "black", "slab", "slate", "stack"};
  CHECK(suggestions("slak", words) == std::vector<std::string>{"slack", "slab"});
  CHECK(suggestions("slab", words) == std::vector<std::string>{"slab"});
  CHECK(suggestions("banana", words).empty());
}
