#include "daemon/backup/sealed_file.h"

#include <fstream>
#include <sstream>

#include "tests/support/bundle_keys.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"

using namespace nexus;
using namespace nexus::test;

namespace {

constexpr std::size_t kPiece = 64 * 1024;
constexpr std::size_t kSealedPiece = kPiece + 17;
constexpr std::size_t kBefore = 6 + 112 + 24;  // what stands before the pieces, for a public key

/// A file that was sealed for a key, in a directory of its own.
struct Sealed {
  TemporaryDirectory directory;
  BundleKeyPair pair;
  std::string path = directory.path() + "/sealed";

  explicit Sealed(std::string_view content, BundleKeyPair whose = BundleKeyPair::make())
      : pair(std::move(whose)) {
    auto writer = SealedFileWriter::make(path, *envelope_key_for(pair.open));
    REQUIRE(writer);
    // In parts that fit no piece.
    for (; !content.empty(); content.remove_prefix(std::min<std::size_t>(content.size(), 1000)))
      REQUIRE(writer->write(content.substr(0, 1000)));
    REQUIRE(writer->finish());
  }

  std::string bytes() const {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
  }
  void become(const std::string& bytes) const {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  }

  /// All of it; an error wherever it comes.
  Result<std::string> content() const {
    NEXUS_TRY(auto reader,
              SealedFileReader::open(path, {.private_key = Secret(pair.secret), .passphrase = {}}));
    std::string all;
    while (true) {
      NEXUS_TRY(const auto some, reader.read(777));
      if (some.empty()) break;
      all += some;
    }
    NEXUS_CHECK(reader.check_end());
    return all;
  }
};

std::string text_of(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i % 23 + i / 4096 % 3);
  return text;
}

}  // namespace

TEST_CASE("what was sealed in a file is read again, of any length", "[backup]") {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kPiece - 1, kPiece, kPiece + 1,
                                 3 * kPiece, 3 * kPiece + 5}) {
    CAPTURE(size);
    const auto text = text_of(size);
    const Sealed sealed(text);
    const auto pieces = std::max<std::size_t>(1, (size + kPiece - 1) / kPiece);
    CHECK(sealed.bytes().size() == kBefore + size + 17 * pieces);
    const auto read = sealed.content();
    REQUIRE(read);
    CHECK(*read == text);
  }
}

TEST_CASE("a piece that was altered, moved, left out, repeated or cut off is noticed", "[backup]") {
  const Sealed sealed(text_of(4 * kPiece + 100));
  const auto whole = sealed.bytes();
  const auto piece = [&](std::size_t number) {
    return whole.substr(kBefore + number * kSealedPiece, kSealedPiece);
  };
  const auto head = whole.substr(0, kBefore);
  const auto refused = [&](const std::string& bytes) {
    sealed.become(bytes);
    const auto read = sealed.content();
    REQUIRE_FALSE(read);
    CHECK(read.error().code == ErrorCode::invalid_backup);
  };
  refused(head + piece(0) + piece(2) + piece(1) + piece(3) + piece(4));
  refused(head + piece(0) + piece(1) + piece(2) + piece(4));
  refused(head + piece(0) + piece(1) + piece(1) + piece(2) + piece(3) + piece(4));
  for (std::size_t pieces = 0; pieces < 5; ++pieces)
    refused(whole.substr(0, kBefore + pieces * kSealedPiece));
  refused(whole.substr(0, whole.size() - 1));
  refused(whole + "x");
  refused(whole + piece(4));
  for (std::size_t at = kBefore; at < whole.size(); at += 9973) {
    auto bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 4);
    refused(bytes);
  }
  // What stands before them belongs to the first.
  const Sealed other(text_of(10), sealed.pair);
  refused(other.bytes().substr(0, kBefore) + whole.substr(kBefore));
}

TEST_CASE("whatever byte stands before the pieces is another one, it does not open", "[backup]") {
  const Sealed sealed(text_of(100));
  const auto whole = sealed.bytes();
  for (std::size_t at = 0; at < kBefore; ++at) {
    CAPTURE(at);
    auto bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    sealed.become(bytes);
    CHECK_FALSE(sealed.content());
    sealed.become(whole.substr(0, at));
    CHECK_FALSE(sealed.content());
  }
}

TEST_CASE("another key, none, or a passphrase opens no file that is sealed for a key", "[backup]") {
  const Sealed sealed(text_of(100));
  const auto code = [&](EnvelopeOpener opener) {
    const auto opened = SealedFileReader::open(sealed.path, opener);
    REQUIRE_FALSE(opened);
    return opened.error().code;
  };
  CHECK(code({.private_key = Secret(BundleKeyPair::make().secret)}) == ErrorCode::vault_key_wrong);
  CHECK(code({}) == ErrorCode::vault_key_wrong);
  CHECK(code({.passphrase = Secret(std::string_view("correct horse battery"))}) ==
        ErrorCode::vault_key_wrong);
  CHECK(code({.private_key = Secret(std::string_view("nonsense"))}) == ErrorCode::invalid_field);
}
