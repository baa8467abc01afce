#include "common/own_keys.h"

#include "daemon/access/key_text.h"
#include "tests/support/catch.h"

using namespace nexus;

TEST_CASE("a key of ours is found wherever it stands", "[own_keys]") {
  for (const auto prefix : {kApiKeyPrefix, kProgramKeyPrefix}) {
    const std::string key(new_key(prefix));
    for (const auto& before : {"", "Bearer ", "nxr_", "nxk_ nx nxr_0123456789_", "a=nxr_&k="})
      for (const auto& after : {"", " ", "/x", "&b=c"})
        CHECK(find_key(before + key + after) == key);
    CHECK(find_key(key.substr(0, key.size() - 1)).empty());
    CHECK(find_key("x" + key.substr(1)).empty());
  }
  CHECK(find_key("").empty());
  CHECK(find_key("nxk_").empty());
}

TEST_CASE("what is recorded of a text tells whose key was in it, and no more", "[own_keys]") {
  const std::string one(new_key(kApiKeyPrefix));
  const std::string two(new_key(kProgramKeyPrefix));
  CHECK(printable_without_keys("a " + one + two + " b", 400) ==
        "a " + one.substr(0, 15) + "***" + two.substr(0, 15) + "*** b");
  // Wherever it is cut, no piece of a secret is left.
  for (std::size_t most = 10; most < 100; ++most)
    CHECK(printable_without_keys(std::string(20, 'a') + one, most).find(one.substr(15, 5)) ==
          std::string::npos);
  CHECK(printable_without_keys("nothing here", 400) == "nothing here");
}
