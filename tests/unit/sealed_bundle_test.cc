#include "daemon/crypto/sealed_bundle.h"

#include "common/bundle_key.h"
#include "common/crc32.h"
#include "daemon/crypto/encoding.h"
#include "tests/support/bundle_keys.h"
#include "tests/support/catch.h"

using namespace nexus;
using namespace nexus::test;

namespace {

const std::string kDocument = R"({"format":1,"canary":"refresh-token-5f2c"})";
const Secret kPassphrase{std::string_view("correct horse battery")};

EnvelopeOpener with_key(const BundleKeyPair& pair) {
  return {.private_key = Secret(pair.secret)};
}

EnvelopeOpener with_words(std::string_view passphrase) {
  return {.passphrase = Secret(passphrase)};
}

std::string bytes_of(const std::string& bundle) {
  return *base64_decode(bundle.substr(bundle.find(':') + 1));
}

/// As somebody would alter it who knows the format: with a checksum that fits.
std::string altered(std::string bytes, std::size_t at) {
  bytes[at] = static_cast<char>(bytes[at] ^ 1);
  bytes.resize(bytes.size() - 4);
  const auto sum = crc32(bytes);
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(sum >> shift & 0xff);
  return "nexus-bundle:" + base64(bytes);
}

std::string message(const Result<Secret>& opened) {
  REQUIRE_FALSE(opened);
  return opened.error().message;
}

bool says(const Result<Secret>& opened, std::string_view what) {
  return message(opened).find(what) != std::string::npos;
}

}  // namespace

TEST_CASE("a bundle opens with the private key that it was sealed for, wrapped or not",
          "[bundle]") {
  const auto pair = BundleKeyPair::make();
  auto bundle = *seal_bundle_for(pair.open, kDocument);
  CHECK(open_bundle(bundle, with_key(pair))->expose() == kDocument);
  CHECK(bytes_of(bundle).find("canary") == std::string::npos);
  for (std::size_t at = 64; at < bundle.size(); at += 65) bundle.insert(at, "\n");
  CHECK(open_bundle(" " + bundle + "\r\n", with_key(pair))->expose() == kDocument);
  CHECK(*seal_bundle_for(pair.open, kDocument) != *seal_bundle_for(pair.open, kDocument));
}

TEST_CASE("a bundle opens with the passphrase that it was sealed with, and no other", "[bundle]") {
  const auto bundle = *seal_bundle_with(kPassphrase, kDocument);
  CHECK(open_bundle(bundle, with_words(kPassphrase.expose()))->expose() == kDocument);
  const auto wrong = open_bundle(bundle, with_words("correct horse batterz"));
  CHECK(says(wrong, "does not open with this passphrase"));
  CHECK(wrong.error().code == ErrorCode::bundle_key_wrong);
}

TEST_CASE("a key that is another's, and one that is missing, are told with whose is wanted",
          "[bundle]") {
  const auto mine = BundleKeyPair::make();
  const auto other = BundleKeyPair::make();
  const auto bundle = *seal_bundle_for(mine.open, kDocument);
  const auto wrong = open_bundle(bundle, with_key(other));
  CHECK(wrong.error().code == ErrorCode::bundle_key_wrong);
  CHECK(says(wrong, mine.open));
  CHECK(says(wrong, other.open));
  CHECK(says(open_bundle(bundle, with_words("a passphrase instead")), "no private key was given"));
  CHECK(
      open_bundle(bundle, {.private_key = Secret(std::string_view("nexus-key-12"))}).error().code ==
      ErrorCode::invalid_field);
}

TEST_CASE("whatever bit of a bundle is altered, it does not open", "[bundle]") {
  const auto pair = BundleKeyPair::make();
  const auto bytes = bytes_of(*seal_bundle_for(pair.open, kDocument));
  for (std::size_t at = 0; at + 4 < bytes.size(); ++at) {
    INFO("byte " << at);
    CHECK_FALSE(open_bundle(altered(bytes, at), with_key(pair)));
    auto copied = bytes;
    copied[at] = static_cast<char>(copied[at] ^ 0x40);
    CHECK_FALSE(open_bundle("nexus-bundle:" + base64(copied), with_key(pair)));
  }
}

TEST_CASE("cut, damaged, another version's and no bundle at all are each told as what they are",
          "[bundle]") {
  const auto pair = BundleKeyPair::make();
  const auto bundle = *seal_bundle_for(pair.open, kDocument);
  const auto opener = with_key(pair);
  for (std::size_t size = 13; size < bundle.size(); ++size)
    CHECK(says(open_bundle(bundle.substr(0, size), opener), "was cut"));
  auto mistyped = bundle;
  mistyped[100] = mistyped[100] == 'A' ? 'B' : 'A';
  CHECK(says(open_bundle(mistyped, opener), "damaged: its checksum"));
  mistyped[100] = '!';
  CHECK(says(open_bundle(mistyped, opener), "damaged: it has characters"));
  CHECK(says(open_bundle(altered(bytes_of(bundle), 4), opener), "another version"));
  CHECK(says(open_bundle(altered(bytes_of(bundle), bytes_of(bundle).size() - 10), opener),
             "was altered"));
  CHECK(says(open_bundle("age-encryption.org/v1", opener), "no bundle of nexus"));
  CHECK(says(open_bundle("", opener), "no bundle of nexus"));
}

TEST_CASE("a bundle cannot have its key derived cheaply, nor at any cost", "[bundle]") {
  auto bytes = bytes_of(*seal_bundle_with(kPassphrase, kDocument));
  const std::size_t memory = 10 + 16 + 4;
  for (const char top : {'\x00', '\x7f'}) {
    auto changed = bytes;
    changed[memory] = top;
    changed[memory + 1] = 0;
    const auto opened =
        open_bundle(altered(changed, memory + 3), with_words("correct horse battery"));
    CHECK(says(opened, "too easy or too hard"));
  }
}

TEST_CASE("what cannot be sealed well is refused", "[bundle]") {
  const auto short_one = seal_bundle_with(Secret(std::string_view("hunter2")), kDocument);
  REQUIRE_FALSE(short_one);
  CHECK(short_one.error().code == ErrorCode::invalid_field);
  CHECK_FALSE(
      seal_bundle_for(bundle_key_text(BundleKey::public_key, std::string(32, '\0')), kDocument));
  const auto large = seal_bundle_for(BundleKeyPair::make().open, std::string(kLongestBundle, 'x'));
  REQUIRE_FALSE(large);
  CHECK(large.error().code == ErrorCode::body_too_large);
}
