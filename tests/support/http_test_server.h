#pragma once

#include <httplib.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace nexus::test {

/// A server on a loopback port of its own, on cpp-httplib: for what only real HTTP can show.
class HttpTestServer {
 public:
  /// `routes` is called once, before the server listens.
  explicit HttpTestServer(const std::function<void(HttpTestServer&, httplib::Server&)>& routes);
  ~HttpTestServer();
  HttpTestServer(const HttpTestServer&) = delete;
  HttpTestServer& operator=(const HttpTestServer&) = delete;

  std::string url(const std::string& path, const std::string& host = "127.0.0.1") const;
  /// Requests that came in.
  int requests() const { return requests_; }
  /// For a handler that does not answer: waits until the test is over.
  void wait_for_the_end();

 private:
  httplib::Server server_;
  int port_ = 0;
  std::atomic<int> requests_{0};
  std::mutex mutex_;
  std::condition_variable ended_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace nexus::test
