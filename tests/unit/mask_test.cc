#include "cli/exec/mask.h"

#include "cli/base64.h"
#include "common/text.h"
#include "tests/support/catch.h"

using namespace nexus;
using namespace nexus::cli;
using namespace std::string_literals;

namespace {

/// The text as it comes out when it goes in in pieces of that size.
std::string masked(const std::vector<SecretText>& secrets, std::string_view text,
                   std::size_t piece = 1000) {
  const MaskedTexts texts(secrets);
  MaskedStream stream(texts);
  SecretText out;
  for (std::size_t at = 0; at < text.size(); at += piece)
    out.append(stream.pass(text.substr(at, piece)));
  return std::string(out.append(stream.end()));
}

std::string encoded(std::string_view text) {
  return std::string(base64(text));
}

}  // namespace

TEST_CASE("a secret is masked wherever it is cut", "[mask]") {
  const std::vector<SecretText> secrets{SecretText("s3cr3t-value"), SecretText("other")};
  const std::string text = "a s3cr3t-value b s3cr3t-values3cr3t-value, other; s3cr3t-valu! s3c";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    INFO(piece);
    CHECK(masked(secrets, text, piece) == "a *** b ******, ***; s3cr3t-valu! s3c");
  }
  CHECK(masked({}, text) == text);
  CHECK(masked({SecretText("abc")}, "abcabc") == "abcabc");  // too short to be one
  CHECK(masked({SecretText("")}, text) == text);
}

TEST_CASE("of secrets that begin or end with each other all is masked", "[mask]") {
  const std::vector<SecretText> nested{SecretText("token"), SecretText("token-long")};
  CHECK(masked(nested, "token token-long token-lon", 1) == "*** *** ***-lon");
  const std::vector<SecretText> crossing{SecretText("aabbcc"), SecretText("bccdd")};
  for (const std::size_t piece : {1, 2, 3, 4, 100})
    CHECK(masked(crossing, "x aabbccdd y", piece) == "x *** y");
  const std::vector<SecretText> periodic{SecretText("aaaab")};
  CHECK(masked(periodic, "aaaaaaab", 1) == "aaa***");
}

TEST_CASE("what is not text goes through a mask as it is", "[mask]") {
  std::string bytes;
  for (int i = 0; i < 4096; ++i) bytes += static_cast<char>(i * 37 % 256);
  for (const std::size_t piece : {1, 7, 4096})
    CHECK(masked({SecretText("s3cr3t-value")}, bytes, piece) == bytes);
}

TEST_CASE("a mask knows a secret by its base64, alone and as a part", "[mask]") {
  for (const std::string secret : {"gho_ABCD", "tok?n>~~", "12345", "\xff\xfe\xfd\xfc\xfb"})
    for (std::size_t before = 0; before < 7; ++before)
      for (std::size_t after = 0; after < 4; ++after) {
        INFO(secret << " " << before << " " << after);
        const auto whole = std::string(before, 'u') + secret + std::string(after, 'v');
        auto text = "Basic " + encoded(whole) + ".";
        for (const bool url : {false, true}) {
          if (url)
            for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
          const auto out = masked({SecretText(secret)}, text, 3);
          CHECK(out.find("***") != std::string::npos);
          // At most the digits at its ends, which tell of what is beside it too.
          const auto left = out.size() - "Basic ***."s.size();
          CHECK(left <= (before * 8 + 5) / 6 + (after * 8 + 5) / 6 + 4);
        }
      }
  CHECK(masked({SecretText("s3cr3t-value")}, "x " + encoded("s3cr3t-value") + "\n", 1) ==
        "x ***\n");
  CHECK(masked({SecretText("12345")}, encoded("12345")) == "***");
  CHECK(masked({SecretText("a/b c+d")}, "?key=" + percent_encode("a/b c+d") + "&x") ==
        "?key=***&x");
}
