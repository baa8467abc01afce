// Our listener, as another implementation of HTTP sees it: cpp-httplib's client.
#include <arpa/inet.h>
#include <httplib.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <latch>
#include <set>
#include <stdexcept>
#include <thread>

#include "daemon/http/server.h"
#include "daemon/http/sockets.h"
#include "tests/support/catch.h"
#include "tests/support/events.h"
#include "tests/support/temporary_directory.h"

using namespace nexus;
using namespace nexus::test;

namespace {

/// Listens on a loopback port that the kernel chose.
int listen_on_some_port(int& port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(fd, 64) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("no loopback port to listen on");
  port = ntohs(address.sin_port);
  return fd;
}

/// A server on a thread of its own, with a TCP and a Unix listener.
class Listeners {
 public:
  explicit Listeners(http::Handler handler) : handler_(std::move(handler)) {
    const int tcp = listen_on_some_port(port_);
    auto on_path = http::listen_on_unix_socket(socket_path());
    if (!on_path) throw std::runtime_error(on_path.error().message);
    std::promise<Reactor*> started;
    auto reactor = started.get_future();
    thread_ = std::thread([this, tcp, unix_socket = *on_path, &started] {
      Reactor own;  // the thread that makes it is its loop's
      http::Server server(own, [](auto&) {}, {});
      server.listen(tcp, {.via = Caller::Via::gateway}, counted());
      server.listen(unix_socket, {.via = Caller::Via::control_socket, .same_user_only = true},
                    counted());
      started.set_value(&own);
      own.run();
    });
    reactor_ = reactor.get();
  }
  ~Listeners() {
    reactor_->stop();
    thread_.join();
  }
  Listeners(const Listeners&) = delete;
  Listeners& operator=(const Listeners&) = delete;

  httplib::Client client() const {
    httplib::Client client("127.0.0.1", port_);
    client.set_tcp_nodelay(true);
    client.set_read_timeout(kPatience);
    client.set_keep_alive(true);
    return client;
  }
  httplib::Client client_on_socket() const {
    httplib::Client client(socket_path());
    client.set_address_family(AF_UNIX);
    client.set_read_timeout(kPatience);
    return client;
  }
  /// Requests that reached the handler.
  int handled() const { return handled_; }

 private:
  std::string socket_path() const { return directory_.path() + "/s/nexus.sock"; }
  http::Handler counted() {
    return [this](http::Request request, http::Respond respond) {
      ++handled_;
      handler_(std::move(request), std::move(respond));
    };
  }

  TemporaryDirectory directory_;
  http::Handler handler_;
  std::atomic<int> handled_{0};
  int port_ = 0;
  Reactor* reactor_ = nullptr;
  std::thread thread_;
};

http::Response text(const std::string& body) {
  http::Response response;
  response.content_type = "text/plain";
  response.body = SecretText(body);
  return response;
}

void echo(http::Request request, http::Respond respond) {
  std::string seen = request.method + " " + request.path;
  for (const auto& [name, value] : request.query) seen.append(" ").append(name + "=" + value);
  seen.append(" ").append(request.header("x-odd")).append(" ").append(request.body);
  respond(text(seen));
}

}  // namespace

TEST_CASE("another client's requests arrive as it meant them", "[listener]") {
  Listeners listeners(echo);
  auto client = listeners.client();
  const auto got = client.Get("/v1/a%2Fb?x=1&y=%C3%A4", {{"X-Odd", "v"}});
  REQUIRE(got);
  CHECK(got->status == 200);
  CHECK(got->body == "GET /v1/a%2Fb x=1 y=\xc3\xa4 v ");
  CHECK(got->get_header_value("Content-Type") == "text/plain");
  CHECK(got->get_header_value("Cache-Control") == "no-store");
  CHECK(got->get_header_value("X-Content-Type-Options") == "nosniff");
  const auto posted = client.Post("/v1/x", R"({"a":1})", "application/json");
  REQUIRE(posted);
  CHECK(posted->body == R"(POST /v1/x  {"a":1})");
  const auto put = client.Put("/v1/x", "", "text/plain");
  REQUIRE(put);
  CHECK(put->body == "PUT /v1/x  ");
  CHECK(client.Delete("/v1/x"));
}

TEST_CASE("a connection is kept for the next request, and each answer has an id of its own",
          "[listener]") {
  Listeners listeners(echo);
  auto client = listeners.client();
  std::set<std::string> ids;
  REQUIRE(client.Get("/"));
  const auto socket = client.socket();
  for (int i = 0; i < 20; ++i) {
    const auto got = client.Get("/");
    REQUIRE(got);
    ids.insert(got->get_header_value("X-Request-Id"));
    CHECK(client.is_socket_open());
    CHECK(client.socket() == socket);
  }
  CHECK(ids.size() == 20);
}

TEST_CASE("a client that wants to close the connection has it closed", "[listener]") {
  Listeners listeners(echo);
  auto client = listeners.client();
  client.set_keep_alive(false);
  const auto got = client.Get("/");
  REQUIRE(got);
  CHECK(got->get_header_value("Connection") == "close");
}

TEST_CASE("on the Unix socket the kernel tells who asks", "[listener]") {
  std::atomic<std::int64_t> uid{-1};
  std::atomic<std::int64_t> pid{-1};
  Listeners listeners([&](http::Request request, http::Respond respond) {
    uid = request.caller.uid;
    pid = request.caller.pid;
    respond(text("hello"));
  });
  auto client = listeners.client_on_socket();
  const auto got = client.Get("/");
  REQUIRE(got);
  CHECK(got->body == "hello");
  CHECK(uid == static_cast<std::int64_t>(geteuid()));
  CHECK(pid == getpid());
}

TEST_CASE("a large answer arrives whole", "[listener]") {
  const std::string large(3 * 1024 * 1024, 'x');
  Listeners listeners([&](http::Request, http::Respond respond) { respond(text(large)); });
  const auto got = listeners.client().Get("/");
  REQUIRE(got);
  CHECK(got->body == large);
}

TEST_CASE("a body of a megabyte is taken, a larger one reaches nobody", "[listener]") {
  Listeners listeners([](http::Request request, http::Respond respond) {
    respond(text(std::to_string(request.body.size())));
  });
  auto client = listeners.client();
  const auto fits = client.Post("/", std::string(1024 * 1024, 'x'), "text/plain");
  REQUIRE(fits);
  CHECK(fits->body == "1048576");
  // The answer may come while the client is still sending: then it sees the connection close.
  const auto large = client.Post("/", std::string(1024 * 1024 + 1, 'x'), "text/plain");
  if (large) CHECK(large->status == 413);
  CHECK(listeners.handled() == 1);
  CHECK(listeners.client().Post("/", "x", "text/plain"));
}

TEST_CASE("requests that others take and we do not are answered with the reason", "[listener]") {
  Listeners listeners(echo);
  const auto refused = [&](const char* path, const httplib::Headers& headers, int status) {
    const auto got = listeners.client().Get(path, headers);
    REQUIRE(got);
    CHECK(got->status == status);
    CHECK(got->body.find("\"error\"") != std::string::npos);
  };
  refused("/a/../b", {}, 400);
  refused("//evil", {}, 400);
  refused("/%2e%2e/b", {}, 400);
  refused("/", {{"Host", "a"}, {"Host", "b"}}, 400);
  refused("/", {{"Content-Length", "0"}, {"Content-Length", "1"}}, 400);
  refused("/", {{"Content-Length", "0x0"}}, 400);
  refused("/", {{"Transfer-Encoding", "chunked"}}, 400);
  refused("/", {{"X-Long", std::string(40'000, 'x')}}, 431);
  CHECK(listeners.handled() == 0);
}

TEST_CASE("a request that waits delays nobody, and is answered when its time has come",
          "[listener]") {
  std::mutex mutex;
  http::Respond waiting;
  Events events;
  Listeners listeners([&](http::Request request, http::Respond respond) {
    if (request.path != "/slow") return respond(text("quick"));
    {
      const std::lock_guard lock(mutex);
      waiting = std::move(respond);
    }
    events.happened();
  });
  auto slow = std::async(std::launch::async, [&] {
    const auto got = listeners.client().Get("/slow");
    return got ? got->body : std::string("nothing");
  });
  REQUIRE(events.eventually([&] {
    const std::lock_guard lock(mutex);
    return static_cast<bool>(waiting);
  }));
  for (int i = 0; i < 5; ++i) CHECK(listeners.client().Get("/")->body == "quick");
  waiting(text("at last"));  // from this thread, which is not the loop's
  CHECK(arrived(std::move(slow)) == "at last");
}

TEST_CASE("many clients at once are all answered", "[listener]") {
  Listeners listeners(echo);
  constexpr int kClients = 16;
  std::latch begin_together(kClients);
  std::atomic<int> answered{0};
  {
    std::vector<std::jthread> clients;
    for (int i = 0; i < kClients; ++i)
      clients.emplace_back([&, i] {
        auto client = listeners.client();
        begin_together.arrive_and_wait();
        for (int n = 0; n < 5; ++n) {
          const auto path = "/" + std::to_string(i) + "/" + std::to_string(n);
          const auto got = client.Get(path);
          if (got && got->body == "GET " + path + "  ") ++answered;
        }
      });
  }
  CHECK(answered == kClients * 5);
}

TEST_CASE("a client that goes away in the middle of a request harms nobody", "[listener]") {
  Listeners listeners(echo);
  for (int i = 0; i < 5; ++i) {
    auto client = listeners.client();
    // It begins a body of 100 bytes and thinks better of it.
    const auto aborted = client.Post(
        "/", 100, [](std::size_t, std::size_t, httplib::DataSink&) { return false; }, "text/plain");
    CHECK_FALSE(aborted);
  }
  CHECK(listeners.handled() == 0);
  CHECK(listeners.client().Get("/"));
}
