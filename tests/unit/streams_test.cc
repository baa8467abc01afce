#include "daemon/http/streams.h"

#include <memory>
#include <string>

#include "tests/support/catch.h"

using namespace nexus;
using namespace nexus::http;

namespace {

std::string all_of(Pipe& pipe) {
  std::string out;
  while (true) {
    const auto taken = pipe.take(1000);
    out += taken.bytes;
    if (taken.state != Pipe::State::open)
      return out + (taken.state == Pipe::State::ended ? "." : "!");
    if (taken.bytes.empty()) return out + "…";
  }
}

}  // namespace

TEST_CASE("a body in chunks is the same however its bytes come, and what follows is whole",
          "[http][L7]") {
  Reactor loop;
  const std::string sent =
      "5\r\nhello\r\n000c\r\n, and more!!\r\n0\r\nX-A: b\r\n\r\nGET / HTTP/1.1";
  for (std::size_t piece = 1; piece < sent.size(); ++piece) {
    const auto pipe = std::make_shared<Pipe>(loop, loop);
    IncomingBody body(BodyDecoder(std::nullopt), pipe);
    std::string next;
    for (std::size_t at = 0; at < sent.size(); at += piece) {
      if (body.is_over()) {
        next += sent.substr(at, piece);
        continue;
      }
      next += body.feed(sent.substr(at, piece));
    }
    CAPTURE(piece);
    CHECK(all_of(*pipe) == "hello, and more!!.");
    CHECK(next == "GET / HTTP/1.1");
  }
}

TEST_CASE("a body that is dropped before its end does not look whole", "[http][L11]") {
  Reactor loop;
  const auto pipe = std::make_shared<Pipe>(loop, loop);
  {
    IncomingBody body(BodyDecoder(10), pipe);
    CHECK(body.feed("hello").empty());
  }
  CHECK(all_of(*pipe) == "hello!");
}

TEST_CASE("an answer that is shorter or longer than it was announced is broken for good",
          "[http][L7]") {
  Reactor loop;
  for (const char* content : {"hello", "hello, and more"}) {
    const auto pipe = std::make_shared<Pipe>(loop, loop);
    pipe->write(content);
    pipe->end();
    OutgoingBody body(pipe, OutgoingBody::Framing::length, 10);
    for (int i = 0; i < 3; ++i) {
      std::string piece;
      CHECK(body.next(piece) == OutgoingBody::Next::broken);
    }
  }
}
