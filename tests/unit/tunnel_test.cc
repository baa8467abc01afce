#include "daemon/http/tunnel.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>

#include "tests/support/catch.h"

using namespace nexus;
using namespace nexus::http;

namespace {

/// A client's socket in a tunnel, and the pipes that lead on.
struct Ends {
  explicit Ends(std::string_view early = "") : Ends(pair(), early) {}
  ~Ends() { leave(); }

  void say(std::string_view text) {
    REQUIRE(send(client, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
  }
  std::string heard() {
    std::string out;
    std::array<char, 4096> buffer{};
    for (ssize_t got = 0; (got = recv(client, buffer.data(), buffer.size(), MSG_DONTWAIT)) > 0;)
      out.append(buffer.data(), static_cast<std::size_t>(got));
    return out;
  }
  void leave() {
    if (client >= 0) close(client);
    client = -1;
  }
  Tunnel::State move(bool is_gone = false) { return tunnel->move(transport, is_gone); }

  Reactor loop;
  int client;
  Transport transport;
  std::shared_ptr<Pipe> from_client = std::make_shared<Pipe>(loop, loop);
  std::shared_ptr<Pipe> to_client = std::make_shared<Pipe>(loop, loop);
  std::unique_ptr<Tunnel> tunnel;

 private:
  static std::array<int, 2> pair() {
    std::array<int, 2> fds{-1, -1};
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds.data()) == 0);
    return fds;
  }
  Ends(std::array<int, 2> fds, std::string_view early)
      : client(fds[0]),
        transport(fds[1]),
        tunnel(std::make_unique<Tunnel>(from_client, to_client, early, [] {})) {}
};

}  // namespace

TEST_CASE("a tunnel passes on what came early, and then both ways", "[http][L15]") {
  Ends ends("sent ahead, ");
  ends.say("and behind");
  ends.to_client->write("hello");
  CHECK(ends.move() == Tunnel::State::open);
  CHECK(ends.from_client->take(1000).bytes == "sent ahead, and behind");
  CHECK(ends.heard() == "hello");
  CHECK(ends.tunnel->interest() == (EPOLLIN | EPOLLRDHUP));
  CHECK_FALSE(ends.tunnel->waits_for_client());
}

TEST_CASE("a client that has said all still hears the rest; a server that has is the end",
          "[http][L15]") {
  Ends ends;
  ends.say("all of it");
  shutdown(ends.client, SHUT_WR);
  CHECK(ends.move() == Tunnel::State::open);  // and the next one sees its end
  CHECK(ends.move() == Tunnel::State::open);
  const auto taken = ends.from_client->take(1000);
  CHECK(taken.bytes == "all of it");
  CHECK(taken.state == Pipe::State::ended);
  CHECK(ends.tunnel->interest() == 0);
  ends.to_client->write("the rest");
  ends.to_client->end();
  CHECK(ends.move() == Tunnel::State::ended);
  CHECK(ends.heard() == "the rest");
}

TEST_CASE("what a client said before it was gone is passed on, as far as there is room",
          "[http][L15]") {
  Ends ends(std::string(Pipe::kCapacity, 'x'));
  ends.say("the last of it");
  ends.leave();
  CHECK(ends.move(true) == Tunnel::State::open);
  CHECK(ends.to_client->is_abandoned());
  CHECK(ends.tunnel->interest() == 0);
  CHECK(ends.from_client->take(Pipe::kCapacity).bytes.size() == Pipe::kCapacity);
  CHECK(ends.move() == Tunnel::State::gone);
  const auto taken = ends.from_client->take(1000);
  CHECK(taken.bytes == "the last of it");
  CHECK(taken.state == Pipe::State::ended);
}

TEST_CASE("a client that is found gone while it is sent to has said what it has said",
          "[http][L15]") {
  Ends ends;
  const std::string said(100'000, 'x');
  ends.say(said);
  ends.leave();
  ends.to_client->write("nobody hears this");
  CHECK(ends.move() == Tunnel::State::gone);
  const auto taken = ends.from_client->take(Pipe::kCapacity);
  CHECK(taken.bytes == said);
  CHECK(taken.state == Pipe::State::ended);
}

TEST_CASE("a tunnel reads no more than the other end takes, and sends no more than the client",
          "[http][L11]") {
  Ends ends(std::string(Pipe::kCapacity, 'x'));
  ends.say("waits");
  CHECK(ends.move() == Tunnel::State::open);
  CHECK((ends.tunnel->interest() & EPOLLIN) == 0);
  CHECK(ends.from_client->take(Pipe::kCapacity).bytes.size() == Pipe::kCapacity);
  CHECK(ends.move() == Tunnel::State::open);
  CHECK(ends.from_client->take(1000).bytes == "waits");

  std::size_t written = 0;
  for (int i = 0; i < 100 && !ends.tunnel->waits_for_client(); ++i) {
    const std::string piece(ends.to_client->room(), 'y');
    ends.to_client->write(piece);
    written += piece.size();
    CHECK(ends.move() == Tunnel::State::open);
  }
  CHECK(ends.tunnel->waits_for_client());
  CHECK((ends.tunnel->interest() & EPOLLOUT) != 0);
  std::size_t heard = 0;
  for (int i = 0; i < 1000 && heard < written; ++i) {
    heard += ends.heard().size();
    CHECK(ends.move() == Tunnel::State::open);
  }
  CHECK(heard == written);
}

TEST_CASE("a tunnel that is dropped tells the other end", "[http][L11]") {
  Ends ends("said");
  ends.tunnel.reset();
  CHECK(ends.from_client->take(1000).state == Pipe::State::ended);
  CHECK(ends.to_client->is_abandoned());
}
