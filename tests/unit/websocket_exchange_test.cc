// The client's WebSockets, over real sockets.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "daemon/net/streaming_client.h"
#include "tests/support/catch.h"

using namespace nexus;
using namespace std::chrono_literals;

namespace {

const WebSocketOffer kOffer{"accepted"};
const std::string kTaken =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: accepted\r\n\r\n";

/// Answers every handshake with the same bytes, and then echoes, or does nothing more.
class RawServer {
 public:
  enum class Then { echo, nothing };
  RawServer(std::string answer, Then then) : answer_(std::move(answer)), then_(then) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(bind(listening_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(listen(listening_, 16) == 0);
    REQUIRE(getsockname(listening_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/";
    accepting_ = std::thread([this] { accept_all(); });
  }
  ~RawServer() {
    shutdown(listening_, SHUT_RDWR);
    accepting_.join();
    for (const int fd : accepted_) shutdown(fd, SHUT_RDWR);
    for (auto& thread : serving_) thread.join();
    for (const int fd : accepted_) close(fd);
    close(listening_);
  }
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  const std::string& url() const { return url_; }

 private:
  void accept_all() {
    for (int fd = -1; (fd = accept(listening_, nullptr, nullptr)) >= 0;) {
      accepted_.push_back(fd);
      serving_.emplace_back([this, fd] { serve(fd); });
    }
  }

  void serve(int fd) const {
    std::array<char, 4096> buffer{};
    std::string head;
    while (!head.ends_with("\r\n\r\n")) {
      const auto got = recv(fd, buffer.data(), buffer.size(), 0);
      if (got <= 0) return;
      head.append(buffer.data(), static_cast<std::size_t>(got));
    }
    static_cast<void>(send(fd, answer_.data(), answer_.size(), MSG_NOSIGNAL));
    if (then_ == Then::nothing) return;
    for (ssize_t got = 0; (got = recv(fd, buffer.data(), buffer.size(), 0)) > 0;)
      static_cast<void>(send(fd, buffer.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL));
    shutdown(fd, SHUT_RDWR);
  }

  const std::string answer_;
  const Then then_;
  const int listening_ = socket(AF_INET, SOCK_STREAM, 0);
  std::string url_;
  std::vector<int> accepted_;  ///< of `accepting_`, and after it
  std::vector<std::thread> serving_;
  std::thread accepting_;
};

/// A caller whose loop is a thread of its own.
class Caller {
 public:
  Caller() {
    std::promise<void> begun;
    thread_ = std::thread([this, &begun] {
      loop_ = std::make_unique<Reactor>();
      begun.set_value();
      loop_->run();
    });
    begun.get_future().wait();
  }
  ~Caller() {
    loop_->stop();
    thread_.join();
  }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  Result<StreamedAnswer> ask(StreamingClient& client, const std::string& url,
                             std::optional<WebSocketOffer> offer = kOffer,
                             AddressPolicy addresses = {.loopback = true}) {
    StreamedRequest request{.head = {.method = "GET", .url = url}, .addresses = addresses};
    request.reader = loop_.get();
    request.websocket = std::move(offer);
    std::promise<Result<StreamedAnswer>> answered;
    client.send(std::move(request), [&answered](Result<StreamedAnswer> answer) {
      answered.set_value(std::move(answer));
    });
    return answered.get_future().get();
  }

  /// What comes until it is so much, or no more comes: then it ends with "." or "!".
  std::string hear(const std::shared_ptr<Pipe>& pipe, std::size_t size) {
    std::string heard;
    std::promise<void> enough;
    const std::function<void()> read = [&, pipe] {
      while (true) {
        const auto taken = pipe->take(1000);
        heard += taken.bytes;
        if (taken.state != Pipe::State::open)
          heard += taken.state == Pipe::State::ended ? "." : "!";
        if (heard.size() < size && taken.state == Pipe::State::open && !taken.bytes.empty())
          continue;
        if (heard.size() < size && taken.state == Pipe::State::open) return;
        pipe->on_data({});
        return enough.set_value();
      }
    };
    loop_->post([&] {
      pipe->on_data(read);
      read();
    });
    enough.get_future().wait();
    return heard;
  }

  /// Writes until nobody takes it any more.
  void flood(const std::shared_ptr<Pipe>& pipe) {
    loop_->post([pipe] {
      const auto write = [pipe] {
        for (auto room = pipe->room(); room > 0 && !pipe->is_abandoned(); room = pipe->room())
          pipe->write(std::string(room, 'x'));
      };
      pipe->on_room(write);
      write();
    });
  }

 private:
  std::unique_ptr<Reactor> loop_;
  std::thread thread_;
};

}  // namespace

TEST_CASE("an idle WebSocket outlives the patience that other answers have", "[streaming-client]") {
  RawServer server(kTaken, RawServer::Then::echo);
  RawServer silent("", RawServer::Then::nothing);
  Caller caller;
  StreamingClient client({.proxy = "none"}, 50ms);
  const auto taken = caller.ask(client, server.url());
  REQUIRE(taken);
  REQUIRE(taken->to_server);
  const auto given_up = caller.ask(client, silent.url(), std::nullopt);
  REQUIRE_FALSE(given_up);
  CHECK(given_up.error().code == ErrorCode::upstream_timeout);
  taken->to_server->write("still there");
  CHECK(caller.hear(taken->body, 11) == "still there");
  taken->to_server->end();
  CHECK(caller.hear(taken->body, 1) == ".");
}

TEST_CASE("a server that is silent, or takes nothing of a WebSocket, is given up (L11)",
          "[streaming-client][L11]") {
  Caller caller;
  StreamingClient client({.proxy = "none"}, 50ms);
  RawServer silent("HTTP/1.1 101 Switch", RawServer::Then::nothing);
  const auto never = caller.ask(client, silent.url());
  REQUIRE_FALSE(never);
  CHECK(never.error().code == ErrorCode::upstream_timeout);
  CHECK(never.error().may_have_arrived);
  RawServer deaf(kTaken + "all that it says", RawServer::Then::nothing);
  const auto taken = caller.ask(client, deaf.url());
  REQUIRE(taken);
  caller.flood(taken->to_server);
  CHECK(caller.hear(taken->body, 1000) == "all that it says!");
  CHECK(taken->to_server->is_abandoned());
}

TEST_CASE("a WebSocket goes to no address that a request may not reach (L3)",
          "[streaming-client][L3]") {
  RawServer server(kTaken, RawServer::Then::echo);
  Caller caller;
  StreamingClient client({.proxy = "none"});
  const auto refused = caller.ask(client, server.url(), kOffer, {.private_networks = true});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("an address that nexusd does not talk to") !=
        std::string::npos);
  CHECK_FALSE(refused.error().may_have_arrived);
  const auto nobody = caller.ask(client, "http://127.0.0.1:9/");
  REQUIRE_FALSE(nobody);
  CHECK(nobody.error().code == ErrorCode::upstream_error);
}

TEST_CASE("a client that is stopped leaves no WebSocket behind", "[streaming-client]") {
  RawServer server(kTaken, RawServer::Then::echo);
  Caller caller;
  StreamingClient client({.proxy = "none"});
  const auto taken = caller.ask(client, server.url());
  REQUIRE(taken);
  client.stop();
  CHECK(caller.hear(taken->body, 1) == "!");
  CHECK(taken->to_server->is_abandoned());
}
