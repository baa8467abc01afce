#include "daemon/net/shares.h"

#include <vector>

#include "tests/support/catch.h"

using namespace nexus;

namespace {

std::vector<Shares::Place> take_all(Shares& shares, const std::string& name) {
  std::vector<Shares::Place> taken;
  while (auto place = shares.take(name)) taken.push_back(std::move(place));
  return taken;
}

}  // namespace

TEST_CASE("no key has all places, and all keys together leave some to this user", "[shares]") {
  Shares shares(80);
  auto first = take_all(shares, "nxk_a");
  CHECK(first.size() == 40);
  auto second = take_all(shares, "nxk_b");
  CHECK(second.size() == 30);
  CHECK_FALSE(shares.take("nxr_c"));
  CHECK(take_all(shares, "").size() == 10);
  first.pop_back();
  CHECK(shares.take("nxr_c"));
  first.clear();
  CHECK(take_all(shares, "nxr_c").size() == 40);
}

TEST_CASE("this user's own may take all places that nobody has", "[shares]") {
  Shares shares(80);
  const auto own = take_all(shares, "");
  CHECK(own.size() == 80);
  CHECK_FALSE(shares.take("nxk_a"));
}
