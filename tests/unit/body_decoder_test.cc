#include "common/body_decoder.h"

#include <optional>
#include <string>

#include "tests/support/catch.h"

using namespace nexus;

namespace {

struct Decoded {
  std::string content;
  std::string rest;  ///< what came behind it
  bool is_over = false;
  bool is_malformed = false;
};

/// As it comes in pieces of that size.
Decoded decode(std::optional<std::uint64_t> length, const std::string& data, std::size_t piece) {
  BodyDecoder decoder(length);
  Decoded out;
  std::string in;
  for (std::size_t at = 0; at < data.size() || at == 0; at += piece) {
    in += data.substr(at, piece);
    while (!decoder.is_over() && !decoder.is_malformed()) {
      const auto step = decoder.step(in);
      out.content += step.content;
      const auto used = step.used;
      in.erase(0, used);
      if (used == 0) break;
    }
  }
  out.rest = in;
  out.is_over = decoder.is_over();
  out.is_malformed = decoder.is_malformed();
  return out;
}

}  // namespace

TEST_CASE("a body of a told length ends where it says, however it comes", "[http][L7]") {
  for (const std::size_t piece : {1, 2, 3, 7, 100}) {
    const auto decoded = decode(5, "helloGET / HTTP/1.1", piece);
    CHECK(decoded.content == "hello");
    CHECK(decoded.rest == "GET / HTTP/1.1");
    CHECK(decoded.is_over);
  }
  CHECK(decode(0, "", 1).is_over);
  CHECK_FALSE(decode(6, "hello", 1).is_over);
}

TEST_CASE("chunks are put together, however they come, and trailers dropped", "[http][L7]") {
  const std::string data = "5\r\nhello\r\n00A\r\n, chunks!!\r\n0\r\nX-Trailer: a\r\n\r\nGET /";
  for (const std::size_t piece : {1, 2, 3, 7, 100}) {
    const auto decoded = decode(std::nullopt, data, piece);
    CHECK(decoded.content == "hello, chunks!!");
    CHECK(decoded.rest == "GET /");
    CHECK(decoded.is_over);
  }
}

TEST_CASE("chunks that two readers could read differently are malformed", "[http][L7]") {
  for (const char* data :
       {"5\nhello\r\n0\r\n\r\n", "5\r\nhello\n0\r\n\r\n", "5\r\nhello0\r\n\r\n", "0x5\r\nhello\r\n",
        "+5\r\nhello\r\n", " 5\r\nhello\r\n", "5 \r\nhello\r\n", "5;a=b\r\nhello\r\n", "\r\n",
        "-1\r\nhello\r\n", "1234567890abcdef0\r\nx", "5\r\nhello\r\n0\r\nA: b\rc\r\n\r\n",
        "g\r\nhello\r\n", "5\rhello\r\n"}) {
    CAPTURE(data);
    const auto decoded = decode(std::nullopt, data, 100);
    CHECK(decoded.is_malformed);
    CHECK_FALSE(decoded.is_over);
  }
  const auto endless = decode(std::nullopt, "0\r\n" + std::string(9000, 'a'), 100);
  CHECK(endless.is_malformed);
}
