#include "daemon/http/server.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "daemon/loop/pipe.h"
#include "tests/support/catch.h"

using namespace nexus;
using namespace nexus::http;
using namespace std::chrono_literals;

namespace {

/// A listening socket on a loopback port of the kernel's choice.
int listening_socket(sockaddr_in& address) {
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  socklen_t size = sizeof address;
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 && listen(fd, 16) == 0 &&
      getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0)
    return fd;
  close(fd);
  return -1;
}

class Client {
 public:
  explicit Client(const sockaddr_in& address)
      : fd_(socket(AF_INET, SOCK_STREAM, 0)),
        connected_(connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
  }
  ~Client() { close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool connected() const { return connected_; }
  void ask(const std::string& paths) {
    std::string text;
    for (const char path : paths)
      text += std::string("GET /") + path + " HTTP/1.1\r\nHost: h\r\n\r\n";
    REQUIRE(send(fd_, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
  }
  /// Whether the other end has not closed it.
  bool is_open() {
    heard();
    char byte = 0;
    return recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
  }
  /// All that came until now.
  std::string heard() {
    std::array<char, 4096> buffer{};
    for (ssize_t got = 0; (got = recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT)) > 0;)
      heard_.append(buffer.data(), static_cast<std::size_t>(got));
    return heard_;
  }

 private:
  int fd_;
  bool connected_;
  std::string heard_;
};

Response saying(const std::string& text) {
  Response response;
  response.body = text;
  return response;
}

std::size_t count(const std::string& text, const std::string& word) {
  std::size_t found = 0;
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++found;
  return found;
}

/// A server on a port; it stops after so many answers.
struct Running {
  explicit Running(std::size_t answers, Server::Limits most = {}) : left(answers), limits(most) {}

  void serve(Handler handler) {
    listener =
        server.listen(listening_socket(address), {.via = Caller::Via::gateway}, std::move(handler));
  }

  Reactor reactor;
  std::size_t left;
  Server::Limits limits;
  std::vector<std::size_t> batches;
  Server server{reactor,
                [this](std::vector<Response*>& responses) {
                  batches.push_back(responses.size());
                  left -= responses.size();
                  if (left == 0) reactor.stop();
                },
                limits};
  sockaddr_in address{};
  int listener = 0;
};

}  // namespace

TEST_CASE("the answers of one turn leave together", "[server]") {
  Running running(3);
  running.serve([&](const Request&, const Respond& respond) {
    CHECK(running.reactor.on_loop());
    respond(saying("here"));
  });
  Client one(running.address), two(running.address), three(running.address);
  for (auto* client : {&one, &two, &three}) client->ask("x");
  running.reactor.run();
  CHECK(running.batches == std::vector<std::size_t>{3});
  for (auto* client : {&one, &two, &three}) CHECK(client->heard().ends_with("here"));
}

TEST_CASE("requests in one packet are answered in turn, also by other threads", "[server]") {
  Running running(3);
  std::vector<std::thread> workers;
  running.serve([&](Request request, Respond respond) {
    if (request.path == "/a") return respond(saying("first"));
    workers.emplace_back([respond = std::move(respond), path = std::move(request.path)] {
      respond(saying(path == "/b" ? "second" : "third"));
    });
  });
  Client client(running.address);
  client.ask("abc");
  running.reactor.run();
  for (auto& worker : workers) worker.join();
  CHECK(running.batches == std::vector<std::size_t>{1, 1, 1});
  const auto heard = client.heard();
  CHECK(count(heard, "HTTP/1.1 200 OK") == 3);
  CHECK(heard.find("first") < heard.find("second"));
  CHECK(heard.find("second") < heard.find("third"));
  CHECK(count(heard, "Connection: close") == 0);
}

TEST_CASE("what a client sends ahead is read when its request is answered", "[server]") {
  Running running(2);
  std::unique_ptr<Client> client;
  Respond waiting;
  running.serve([&](const Request& request, Respond respond) {
    if (request.path == "/b") return respond(saying("second"));
    waiting = std::move(respond);
    client->ask("b");
    // After that was told to the loop, and not listened to.
    running.reactor.at_turn_end(
        [&] { running.reactor.at_turn_end([&] { waiting(saying("first")); }); });
  });
  client = std::make_unique<Client>(running.address);
  client->ask("a");
  running.reactor.run();
  CHECK(count(client->heard(), "HTTP/1.1 200 OK") == 2);
}

TEST_CASE("a drain waits for what is in progress, and not for who never asks", "[server]") {
  Running running(2);
  std::thread worker;
  bool drained = false;
  bool answered = false;
  running.serve([&](const Request&, Respond respond) {
    running.server.drain(1h, [&] {
      drained = true;
      CHECK(answered);
      running.reactor.stop();
    });
    running.server.drain(0s, [] { FAIL("it was drained twice"); });
    CHECK_FALSE(Client(running.address).connected());
    worker = std::thread([&, respond = std::move(respond)] {
      running.reactor.post([&] { answered = true; });
      respond(saying("at last"));
    });
  });
  Client idle(running.address), client(running.address);
  client.ask("x");
  running.reactor.run();
  worker.join();
  CHECK(drained);
  CHECK(client.heard().ends_with("at last"));
}

TEST_CASE("who has come when a drain begins may still ask", "[server]") {
  Running running(3);
  std::unique_ptr<Client> early;
  running.serve([&](const Request& request, const Respond& respond) {
    running.server.drain(1h, [&] { running.reactor.stop(); });
    if (request.path == "/x") early->ask("y");
    respond(saying("heard"));
  });
  early = std::make_unique<Client>(running.address);
  Client client(running.address);
  client.ask("x");
  running.reactor.run();
  CHECK(client.heard().ends_with("heard"));
  CHECK(early->heard().ends_with("heard"));
}

TEST_CASE("a drain does not wait for a tunnel, which may be open for days", "[server]") {
  Running running(2);
  const auto to_server = std::make_shared<Pipe>(running.reactor, running.reactor);
  const auto to_client = std::make_shared<Pipe>(running.reactor, running.reactor);
  running.serve([&](const Request&, const Respond& respond) {
    Response response;
    response.status = 101;
    response.is_passed_on = true;
    response.stream = to_client;
    response.to_server = to_server;
    respond(std::move(response));
    running.reactor.at_turn_end([&] {  // behind the answer
      running.server.drain(1h, [&] { running.reactor.stop(); });
    });
  });
  Client client(running.address);
  client.ask("x");
  running.reactor.run();
  CHECK(client.heard().starts_with("HTTP/1.1 101 Switching Protocols\r\n"));
  CHECK(client.is_open());
}

TEST_CASE("a drain does not wait without end", "[server]") {
  Running running(1);
  Respond never;
  running.serve([&](const Request&, Respond respond) {
    never = std::move(respond);
    running.server.drain(1ms, [&] { running.reactor.stop(); });
  });
  Client client(running.address);
  client.ask("x");
  running.reactor.run();
  CHECK(client.heard().empty());
}

TEST_CASE("a port is free as soon as nobody listens there any more", "[server]") {
  Running running(1);
  running.serve([](const Request&, const Respond&) {});
  running.server.unlisten(running.listener);
  // The loop has not run yet.
  auto address = running.address;
  const int again = listening_socket(address);
  CHECK(again >= 0);
  close(again);
  running.reactor.stop();
  running.reactor.run();
}

TEST_CASE("beyond the limit those go that were waited for longest, and some at once", "[server]") {
  constexpr std::size_t kMost = 16;
  Running running(1, {.connections = kMost});
  running.serve([](Request, const Respond& respond) { respond(saying("ok")); });
  std::vector<std::unique_ptr<Client>> idle;
  for (std::size_t i = 0; i < kMost; ++i) idle.push_back(std::make_unique<Client>(running.address));
  Client busy(running.address);
  busy.ask("a");
  running.reactor.run();
  CHECK(count(busy.heard(), "200 OK") == 1);
  for (std::size_t i = 0; i < kMost; ++i) CHECK(idle[i]->is_open() == (i >= kMost / 8));
}

TEST_CASE("what clients do not take is bounded, and theirs is the connection that goes",
          "[server]") {
  constexpr std::size_t kClients = 8;
  constexpr std::size_t kAnswer = std::size_t{8} << 20;  // more than the sockets' buffers hold
  Running running(1000, {.unsent = 3 * kAnswer});
  running.serve(
      [](Request, const Respond& respond) { respond(saying(std::string(kAnswer, 'x'))); });
  std::vector<std::unique_ptr<Client>> clients;
  for (std::size_t i = 0; i < kClients; ++i) {
    clients.push_back(std::make_unique<Client>(running.address));
    clients.back()->ask("a");
  }
  const std::function<void()> end_when_answered = [&] {
    if (running.left == 1000 - kClients) return running.reactor.stop();
    running.reactor.after(1ms, end_when_answered);
  };
  running.reactor.after(1ms, end_when_answered);
  running.reactor.run();
  std::size_t open = 0;
  for (const auto& client : clients) open += client->is_open() ? 1 : 0;
  CHECK(open >= 1);
  CHECK(open <= 3);
}
