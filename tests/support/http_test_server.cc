#include "tests/support/http_test_server.h"

#include <stdexcept>

#include "tests/support/events.h"

namespace nexus::test {

HttpTestServer::HttpTestServer(
    const std::function<void(HttpTestServer&, httplib::Server&)>& routes) {
  server_.set_tcp_nodelay(true);
  server_.set_keep_alive_max_count(1);  // no thread of its stays behind with an idle connection
  server_.Get("/is-ready", [](const auto&, auto&) {});
  routes(*this, server_);
  server_.set_pre_routing_handler([this](const httplib::Request& request, httplib::Response&) {
    if (request.path != "/is-ready") ++requests_;
    return httplib::Server::HandlerResponse::Unhandled;
  });
  port_ = server_.bind_to_any_port("127.0.0.1");
  if (port_ < 0) throw std::runtime_error("the test server has no port");
  thread_ = std::thread([this] { server_.listen_after_bind(); });
  // It can be stopped from when it serves on.
  httplib::Client client("127.0.0.1", port_);
  client.set_read_timeout(kPatience);
  if (!client.Get("/is-ready")) throw std::runtime_error("the test server does not serve");
}

HttpTestServer::~HttpTestServer() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  ended_.notify_all();
  server_.stop();
  thread_.join();
}

std::string HttpTestServer::url(const std::string& path, const std::string& host) const {
  return "http://" + host + ":" + std::to_string(port_) + path;
}

void HttpTestServer::wait_for_the_end() {
  std::unique_lock lock(mutex_);
  ended_.wait_for(lock, kPatience, [this] { return over_; });
}

}  // namespace nexus::test
