#include "daemon/upstream/filled_target.h"

#include "tests/support/catch.h"

using namespace nexus;

namespace {

/// "" where it is refused.
std::string filled(const std::string& target) {
  Credentials credentials;
  credentials.emplace("api_key", Secret("1:a/b"));
  const auto made = filled_target(target, credentials);
  if (!made) CHECK(made.error().code == ErrorCode::invalid_field);
  return made ? *made : "";
}

}  // namespace

TEST_CASE("a credential goes into the path, encoded, where the caller says", "[upstream][L9]") {
  CHECK(filled("/bot{api_key}/getMe") == "/bot1%3Aa%2Fb/getMe");
  CHECK(filled("https://a.example/bot{api_key}/x?y=1") == "https://a.example/bot1%3Aa%2Fb/x?y=1");
  CHECK(filled("/no/place?q={api_key}") == "/no/place?q={api_key}");
  CHECK(filled("/bot{api_key}/x?u=https://b.example/{api_key}") ==
        "/bot1%3Aa%2Fb/x?u=https://b.example/{api_key}");
  CHECK(filled("https://{api_key}.evil.example/x") == "https://{api_key}.evil.example/x");
  CHECK(filled("https://{api_key}.evil.example") == "https://{api_key}.evil.example");
}

TEST_CASE("what names no credential, or two places, is refused", "[upstream][L9]") {
  for (const char* target : {"/bot{other}/x", "/{api_key}/{api_key}", "/bot{api_key", "/{}/x"})
    CHECK(filled(target).empty());
}
