// The client whose bodies are streams, over real HTTP.
#include "daemon/net/streaming_client.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "tests/support/catch.h"
#include "tests/support/http_test_server.h"

using namespace nexus;
using namespace nexus::test;

namespace {

/// An answer with its body, read on a loop of its own.
struct Whole {
  int status = 0;
  std::string body;
  bool is_broken = false;
};

Result<Whole> send(StreamingClient& client, StreamedRequest request) {
  Reactor reading;
  request.reader = &reading;
  std::optional<Result<Whole>> outcome;
  std::shared_ptr<Pipe> pipe;
  Whole whole;
  const auto read = [&] {
    while (true) {
      const auto taken = pipe->take(1000);
      whole.body += taken.bytes;
      if (taken.state == Pipe::State::open && taken.bytes.empty()) return;
      if (taken.state == Pipe::State::open) continue;
      whole.is_broken = taken.state == Pipe::State::broken;
      outcome = whole;
      return reading.stop();
    }
  };
  client.send(std::move(request), [&](Result<StreamedAnswer> answer) {
    reading.post([&, answer = std::make_shared<Result<StreamedAnswer>>(std::move(answer))] {
      if (!*answer || !(*answer)->body) {
        outcome = *answer ? Result<Whole>(Whole{(*answer)->status, "", false})
                          : Result<Whole>(answer->error());
        return reading.stop();
      }
      whole.status = (*answer)->status;
      pipe = (*answer)->body;
      pipe->on_data(read);
      read();
    });
  });
  reading.run();
  return *std::move(outcome);
}

StreamedRequest to(const std::string& url, AddressPolicy addresses = {.loopback = true}) {
  return {.head = {.method = "GET", .url = url}, .addresses = addresses};
}

}  // namespace

TEST_CASE("a connection that is kept is used again, and its address looked at again (L3)",
          "[streaming-client][L3]") {
  HttpTestServer server([](auto&, httplib::Server& routes) {
    routes.set_keep_alive_max_count(10);
    routes.Get("/", [](const httplib::Request& request, httplib::Response& response) {
      response.set_content(std::to_string(request.remote_port), "text/plain");
    });
  });
  StreamingClient client({.proxy = "none"});
  const auto first = send(client, to(server.url("/")));
  const auto second = send(client, to(server.url("/")));
  REQUIRE(first);
  REQUIRE(second);
  CHECK(first->status == 200);
  CHECK(first->body == second->body);
  const auto refused = send(client, to(server.url("/"), {.private_networks = true}));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("an address that nexusd does not talk to") !=
        std::string::npos);
  CHECK(server.requests() == 2);
}

TEST_CASE("a server that is silent is given up, before its head and behind it (L11)",
          "[streaming-client][L11]") {
  HttpTestServer server([](HttpTestServer& self, httplib::Server& routes) {
    routes.Get("/never",
               [&self](const httplib::Request&, httplib::Response&) { self.wait_for_the_end(); });
    routes.Get("/half", [&self](const httplib::Request&, httplib::Response& response) {
      response.set_content_provider(10, "text/plain",
                                    [&self](std::size_t at, std::size_t, httplib::DataSink& sink) {
                                      if (at > 0) self.wait_for_the_end();
                                      return at == 0 && sink.write("half.", 5);
                                    });
    });
  });
  StreamingClient client({.proxy = "none"}, std::chrono::milliseconds(100));
  const auto never = send(client, to(server.url("/never")));
  REQUIRE_FALSE(never);
  CHECK(never.error().code == ErrorCode::upstream_timeout);
  CHECK(never.error().may_have_arrived);
  const auto half = send(client, to(server.url("/half")));
  REQUIRE(half);
  CHECK(half->body == "half.");
  CHECK(half->is_broken);
}

TEST_CASE("a body that is kept is sent with its length, whatever the method",
          "[streaming-client]") {
  std::string seen;
  HttpTestServer server([&](auto&, httplib::Server& routes) {
    const auto note = [&](const httplib::Request& request, httplib::Response&) {
      seen = request.method + " " + request.get_header_value("Content-Length") + " " + request.body;
    };
    routes.Put("/", note);
    routes.Post("/", note);
    routes.Delete("/", note);
  });
  StreamingClient client({.proxy = "none"});
  for (const char* method : {"PUT", "POST", "DELETE"}) {
    auto request = to(server.url("/"));
    request.head.method = method;
    request.body.kept = std::make_shared<const std::string>("hello");
    REQUIRE(send(client, std::move(request)));
    CHECK(seen == std::string(method) + " 5 hello");
  }
  auto bare = to(server.url("/"));
  bare.head.method = "POST";
  REQUIRE(send(client, std::move(bare)));
  CHECK(seen == "POST 0 ");
}

TEST_CASE("nobody listens: that is told, and nothing has arrived", "[streaming-client]") {
  StreamingClient client({.proxy = "none"});
  const auto refused = send(client, to("http://127.0.0.1:9/"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::upstream_error);
  CHECK_FALSE(refused.error().may_have_arrived);
}

TEST_CASE("what would go to a proxy in the clear is not sent (E12)", "[streaming-client][E12]") {
  StreamingClient client({.proxy = "http://127.0.0.1:9"});
  const auto refused = send(client, to("http://api.example/"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.starts_with("the proxy would read"));
}
