// The client that talks to providers, over real HTTP.
#include "daemon/net/http_client.h"

#include "tests/support/catch.h"
#include "tests/support/http_test_server.h"
#include "tests/support/variable.h"

using namespace nexus;
using namespace nexus::test;

namespace {

Result<IncomingResponse> send(OutgoingRequest request) {
  static const auto client = make_http_client({.proxy = "none"});
  return client->send(request);
}

/// A request that may reach this machine.
OutgoingRequest to(const std::string& url) {
  return {.head = {.url = url}, .addresses = {.loopback = true}, .total_ms = 10'000};
}

std::string text_of(const IncomingResponse& response) {
  return std::string(response.body);
}

}  // namespace

TEST_CASE("a form is posted as it is, with nothing that nobody asked for", "[http-client]") {
  httplib::Request seen;
  HttpTestServer server([&](auto&, httplib::Server& routes) {
    routes.Post("/token", [&](const httplib::Request& request, httplib::Response& response) {
      seen = request;
      response.status = 201;
      response.set_header("X-Odd", " value ");
      response.set_content("{}", "application/json");
    });
  });
  auto request = to(server.url("/token?a=b"));
  request.head.method = "POST";
  request.body = "grant_type=refresh_token&refresh_token=r%26t";
  request.head.headers.emplace_back("Authorization", Secret("Basic abc"));
  const auto response = send(std::move(request));
  REQUIRE(response);
  CHECK(response->status == 201);
  CHECK(response->header("content-type") == "application/json");
  CHECK(response->header("x-odd") == "value");
  CHECK(response->header("x-none").empty());
  CHECK(text_of(*response) == "{}");
  CHECK(seen.target == "/token?a=b");
  CHECK(seen.get_param_value("refresh_token") == "r&t");
  CHECK(seen.get_header_value("Content-Type") == "application/x-www-form-urlencoded");
  CHECK(seen.get_header_value("Authorization") == "Basic abc");
  CHECK(seen.get_header_value("Accept-Encoding") == "identity");
  CHECK(seen.get_header_value("User-Agent") == "nexusd");
  CHECK_FALSE(seen.has_header("Expect"));
  CHECK_FALSE(seen.has_header("Cookie"));
}

TEST_CASE("path and query are sent as they are written (M3)", "[http-client]") {
  std::string seen;
  HttpTestServer server([&](auto&, httplib::Server& routes) {
    routes.Get(".*",
               [&](const httplib::Request& request, httplib::Response&) { seen = request.target; });
  });
  for (const char* target :
       {"/a/../b", "/./a//b/.", "//a", "/a%2fb%2F%7e~", "/a+b", "/?", "/?a+b=%2b&&c='[]"}) {
    REQUIRE(send(to(server.url(target))));
    CHECK(seen == target);
  }
}

TEST_CASE("every status is an answer, and no redirect is followed", "[http-client]") {
  HttpTestServer server([](auto&, httplib::Server& routes) {
    routes.Get(R"(/status/(\d+))",
               [](const httplib::Request& request, httplib::Response& response) {
                 response.status = std::stoi(request.matches[1]);
                 response.set_header("Location", "/elsewhere");
                 response.set_content("text", "text/plain");
               });
  });
  int asked = 0;
  for (const int status : {200, 302, 303, 307, 308, 400, 401, 404, 429, 500, 503}) {
    const auto response = send(to(server.url("/status/" + std::to_string(status))));
    REQUIRE(response);
    CHECK(response->status == status);
    CHECK(server.requests() == ++asked);
  }
}

TEST_CASE("a cookie that a provider sets does not come back to it", "[http-client]") {
  bool cookie = false;
  HttpTestServer server([&](auto&, httplib::Server& routes) {
    routes.Get("/", [&](const httplib::Request& request, httplib::Response& response) {
      cookie = cookie || request.has_header("Cookie");
      response.set_header("Set-Cookie", "session=1; Path=/");
    });
  });
  REQUIRE(send(to(server.url("/"))));
  REQUIRE(send(to(server.url("/"))));
  CHECK_FALSE(cookie);
}

TEST_CASE("a body is read up to its limit and no further", "[http-client]") {
  HttpTestServer server([](auto&, httplib::Server& routes) {
    routes.Get("/limit", [](const auto&, httplib::Response& response) {
      response.set_content(std::string(1000, 'x'), "text/plain");
    });
    routes.Get("/beyond", [](const auto&, httplib::Response& response) {
      response.set_content(std::string(1001, 'x'), "text/plain");
    });
    routes.Get("/endless", [](const auto&, httplib::Response& response) {
      response.set_chunked_content_provider("text/plain", [](std::size_t, httplib::DataSink& sink) {
        return sink.write("0123456789", 10);
      });
    });
  });
  auto request = to(server.url("/limit"));
  request.max_body = 1000;
  CHECK(send(std::move(request))->body.size() == 1000);
  for (const char* path : {"/beyond", "/endless"}) {
    auto beyond = to(server.url(path));
    beyond.max_body = 1000;
    const auto response = send(std::move(beyond));
    REQUIRE_FALSE(response);
    CHECK(response.error().code == ErrorCode::provider_protocol);
    CHECK(response.error().may_have_arrived);
  }
}

TEST_CASE("headers are read up to 64 KiB and no further", "[http-client]") {
  HttpTestServer server([](auto&, httplib::Server& routes) {
    const auto with_headers = [](int count) {
      return [count](const auto&, httplib::Response& response) {
        for (int i = 0; i < count; ++i)
          response.set_header("X-" + std::to_string(i), std::string(1000, 'x'));
      };
    };
    routes.Get("/many", with_headers(60));
    routes.Get("/too-many", with_headers(66));
  });
  CHECK(send(to(server.url("/many"))));
  const auto response = send(to(server.url("/too-many")));
  REQUIRE_FALSE(response);
  CHECK(response.error().code == ErrorCode::provider_protocol);
}

TEST_CASE("an answer in an encoding that nobody asked for is refused", "[http-client]") {
  HttpTestServer server([](auto&, httplib::Server& routes) {
    routes.Get("/gzip", [](const auto&, httplib::Response& response) {
      response.set_header("Content-Encoding", "gzip");
      response.set_content("not even gzip", "application/json");
    });
  });
  const auto response = send(to(server.url("/gzip")));
  REQUIRE_FALSE(response);
  CHECK(response.error().code == ErrorCode::provider_protocol);
}

TEST_CASE("an answer that is cut off is refused, although it looks complete", "[http-client]") {
  HttpTestServer server([](auto&, httplib::Server& routes) {
    const auto cut = [](std::size_t offset, httplib::DataSink& sink) {
      if (offset == 0) sink.write("{}", 2);
      return offset == 0;
    };
    routes.Get("/length", [cut](const auto&, httplib::Response& response) {
      response.set_content_provider(1000, "application/json",
                                    [cut](std::size_t offset, std::size_t,
                                          httplib::DataSink& sink) { return cut(offset, sink); });
    });
    routes.Get("/chunks", [cut](const auto&, httplib::Response& response) {
      response.set_chunked_content_provider("application/json", cut);
    });
  });
  for (const char* path : {"/length", "/chunks"}) {
    const auto response = send(to(server.url(path)));
    REQUIRE_FALSE(response);
    CHECK(response.error().code == ErrorCode::upstream_error);
    CHECK(response.error().may_have_arrived);
  }
}

TEST_CASE("an exchange ends in time, and who knows what the provider did", "[http-client]") {
  HttpTestServer server([](HttpTestServer& self, httplib::Server& routes) {
    routes.Get("/silent", [&self](const auto&, auto&) { self.wait_for_the_end(); });
    routes.Get("/stalls", [&self](const auto&, httplib::Response& response) {
      response.set_chunked_content_provider("text/plain",
                                            [&self](std::size_t offset, httplib::DataSink& sink) {
                                              if (offset > 0) self.wait_for_the_end();
                                              return offset == 0 && sink.write("x", 1);
                                            });
    });
  });
  for (const char* path : {"/silent", "/stalls"}) {
    auto request = to(server.url(path));
    request.total_ms = 50;
    const auto response = send(std::move(request));
    REQUIRE_FALSE(response);
    CHECK(response.error().code == ErrorCode::upstream_timeout);
    CHECK(response.error().may_have_arrived);
  }
}

TEST_CASE("a request that found nobody did not arrive", "[http-client]") {
  std::string url;
  {
    HttpTestServer server([](auto&, auto&) {});
    url = server.url("/");
  }
  const auto response = send(to(url));
  REQUIRE_FALSE(response);
  CHECK(response.error().code == ErrorCode::upstream_error);
  CHECK_FALSE(response.error().may_have_arrived);
}

TEST_CASE("this machine is not talked to unless that is allowed, however it is spelled",
          "[http-client]") {
  HttpTestServer server(
      [](auto&, httplib::Server& routes) { routes.Get("/", [](const auto&, auto&) {}); });
  for (const char* host : {"127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001",
                           "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]"}) {
    CAPTURE(host);
    auto request = to(server.url("/", host));
    request.addresses = {.loopback = false, .private_networks = true};
    const auto response = send(std::move(request));
    REQUIRE_FALSE(response);
    CHECK(response.error().code == ErrorCode::upstream_error);
    CHECK_FALSE(response.error().may_have_arrived);
  }
  CHECK(server.requests() == 0);
  CHECK(send(to(server.url("/", "localhost"))));
}

TEST_CASE("a cloud's metadata service is not talked to, whatever is allowed", "[http-client]") {
  for (const char* host : {"169.254.169.254", "2852039166", "[::ffff:169.254.169.254]",
                           "[fd00:ec2::254]", "[fe80::1]", "224.0.0.1", "0.0.0.0"}) {
    CAPTURE(host);
    const auto response =
        send({.head = {.url = std::string("http://") + host + "/latest/meta-data"},
              .addresses = {.loopback = true, .private_networks = true},
              .total_ms = 10'000});
    REQUIRE_FALSE(response);
    CHECK(response.error().message.find("does not talk to") != std::string::npos);
  }
}

TEST_CASE("nothing but http and https is spoken", "[http-client]") {
  for (const char* url : {"file:///etc/passwd", "gopher://127.0.0.1/", "ftp://127.0.0.1/"}) {
    const auto response = send(to(url));
    REQUIRE_FALSE(response);
    CHECK_FALSE(response.error().may_have_arrived);
  }
}

TEST_CASE("what is for this machine does not go through a proxy (E12)", "[http-client]") {
  HttpTestServer proxy([](auto&, httplib::Server&) {});
  HttpTestServer provider([](auto&, httplib::Server& routes) {
    routes.Post("/token", [](const auto&, httplib::Response& response) {
      response.set_content("{}", "application/json");
    });
  });
  const auto ask = [&](HttpClient& client, const char* host) {
    auto request = to(provider.url("/token", host));
    request.head.method = "POST";
    request.body = "client_secret=s";
    return client.send(request);
  };
  const auto by_setting = make_http_client({.proxy = proxy.url("")});
  const auto by_environment = make_http_client({});
  const Variable http("http_proxy", proxy.url(""));
  const Variable all("all_proxy", proxy.url(""));
  for (const char* host : {"127.0.0.1", "localhost", "127.1", "2130706433"}) {
    CAPTURE(host);
    CHECK(ask(*by_setting, host));
    CHECK(ask(*by_environment, host));
  }
  // Being for a proxy's eyes is no way around the policy of addresses either.
  auto request = to(provider.url("/token"));
  request.addresses = {};
  CHECK_FALSE(by_setting->send(request));
  CHECK(provider.requests() == 8);
  CHECK(proxy.requests() == 0);
}

TEST_CASE("a proxy is given nothing that it could read (E12)", "[http-client]") {
  HttpTestServer proxy([](auto&, httplib::Server&) {});
  const Variable all("ALL_PROXY", proxy.url(""));
  for (const auto& setting : {std::string("env"), proxy.url("")}) {
    const auto response =
        make_http_client({.proxy = setting})
            ->send({.head = {.method = "POST", .url = "http://provider.example/token"},
                    .body = "client_secret=s"});
    REQUIRE_FALSE(response);
    CHECK(response.error().code == ErrorCode::upstream_error);
    CHECK(response.error().message ==
          "the proxy would read what is sent to http://provider.example:80");
    CHECK(response.error().hint.find("https") != std::string::npos);
    CHECK_FALSE(response.error().may_have_arrived);
  }
  CHECK(proxy.requests() == 0);
}

TEST_CASE("a proxy is no way around the policy of addresses, nor is being exempt from one (E5)",
          "[http-client]") {
  HttpTestServer proxy([](auto&, httplib::Server&) {});
  const Variable https("https_proxy", proxy.url(""));
  for (const auto& exempt : {"", "10.0.0.1,[fd12::1]", "*"}) {
    const Variable none("no_proxy", exempt);
    for (const char* url :
         {"https://10.0.0.1/", "https://[fd12::1]/", "https://169.254.169.254/"}) {
      const auto response = make_http_client({})->send({.head = {.url = url}});
      REQUIRE_FALSE(response);
      CHECK(response.error().message.find("an address that nexusd does not talk to") !=
            std::string::npos);
    }
  }
  CHECK(proxy.requests() == 0);
}
