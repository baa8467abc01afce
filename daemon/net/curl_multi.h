#pragma once

#include <curl/curl.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>

#include "daemon/loop/reactor.h"

namespace nexus {

using CurlHandle = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;

/// libcurl's multi interface on a loop, which watches the sockets and the time for it. For the
/// loop's thread.
class CurlMulti {
 public:
  /// Called when libcurl is done with a handle, which is still added then.
  using Done = std::function<void(CURL*, CURLcode)>;

  /// Keeps so many connections that nobody uses.
  CurlMulti(Reactor& loop, long idle_connections, Done done);
  /// After every handle has been removed.
  ~CurlMulti();
  CurlMulti(const CurlMulti&) = delete;
  CurlMulti& operator=(const CurlMulti&) = delete;

  void add(CURL* handle);
  void remove(CURL* handle) { curl_multi_remove_handle(multi_, handle); }
  /// Before somebody else watches a socket that libcurl is done with, or closes it.
  void forget_idle(curl_socket_t fd);

 private:
  static int on_socket(CURL*, curl_socket_t fd, int what, void* context, void* assigned);
  static int on_timer(CURLM*, long after_ms, void* context);
  static int on_close(void* context, curl_socket_t fd);
  WatchId watch(curl_socket_t fd, std::uint32_t events);
  void act(curl_socket_t fd, int events);

  Reactor& loop_;
  const Done done_;
  CURLM* const multi_;
  TimerId timer_;
  /// Of sockets that libcurl does not look at for now: most of them it does with the next request.
  std::unordered_map<curl_socket_t, WatchId> idle_;
  /// At the end of this turn, which may come when this has gone.
  std::shared_ptr<bool> is_due_ = std::make_shared<bool>(false);
};

}  // namespace nexus
