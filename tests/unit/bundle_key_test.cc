#include "common/bundle_key.h"
#include "common/crc32.h"
#include "tests/support/catch.h"

using namespace nexus;

namespace {

const std::string kBytes(kBundleKeyBytes, 'k');

}  // namespace

TEST_CASE("the checksum is the one that zlib and gzip know", "[bundle]") {
  CHECK(crc32("123456789") == 0xcbf43926);
  CHECK(crc32("") == 0);
}

TEST_CASE("a bundle key is read back from its text, blanks around it or not", "[bundle]") {
  for (const auto kind : {BundleKey::public_key, BundleKey::private_key}) {
    const auto text = bundle_key_text(kind, kBytes);
    CHECK(text.size() == 10 + 64 + 8);
    const auto key = read_bundle_key(kind, "  " + std::string(text) + "\r\n");
    REQUIRE(key);
    CHECK(key->expose() == kBytes);
  }
}

TEST_CASE("a bundle key that was cut, mistyped or put together is told as one", "[bundle]") {
  const std::string text(bundle_key_text(BundleKey::private_key, kBytes));
  for (std::size_t size = 10; size < text.size(); ++size) {
    const auto cut = read_bundle_key(BundleKey::private_key, text.substr(0, size));
    REQUIRE_FALSE(cut);
    CHECK(cut.error().message.find("cut or mistyped") != std::string::npos);
  }
  for (std::size_t at = 10; at < text.size(); ++at) {
    auto mistyped = text;
    mistyped[at] = mistyped[at] == '7' ? '8' : '7';
    CHECK_FALSE(read_bundle_key(BundleKey::private_key, mistyped));
  }
  CHECK_FALSE(read_bundle_key(BundleKey::public_key, "nexus-pub-" + text.substr(10)));
  CHECK_FALSE(read_bundle_key(BundleKey::private_key, text + "00"));
}

TEST_CASE("the other kind of key is called by its name, and nothing of it is repeated",
          "[bundle]") {
  const std::string secret(bundle_key_text(BundleKey::private_key, kBytes));
  const auto refused = read_bundle_key(BundleKey::public_key, secret);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::invalid_field);
  CHECK(refused.error().message == "what was given is a private key, where a public key is wanted");
  CHECK((refused.error().message + refused.error().hint).find("6b6b") == std::string::npos);
  const auto nothing = read_bundle_key(BundleKey::public_key, "age1qqqq");
  REQUIRE_FALSE(nothing);
  CHECK(nothing.error().message == "what was given is no public key of nexus");
}
