#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "common/error.h"
#include "daemon/net/curl_multi.h"
#include "daemon/net/curl_options.h"

namespace nexus {

/// A connection to a server that libcurl makes, with addresses, proxies and TLS as for every
/// request, and that is the caller's from then on: libcurl 7.88 speaks no WebSocket itself. It has
/// a CurlMulti of its own, which costs two descriptors more: one with other requests would close it
/// as one that nobody uses. For the loop's thread.
class CurlConnection {
 public:
  struct Moved {
    enum class State { some, wait, closed, broken };
    State state = State::broken;
    std::size_t bytes = 0;  ///< of `some`
  };

  explicit CurlConnection(Reactor& loop);
  ~CurlConnection();
  CurlConnection(const CurlConnection&) = delete;
  CurlConnection& operator=(const CurlConnection&) = delete;

  /// Begins to connect to the host of `url`, for 5 s at the most. Calls back once; it must not be
  /// destroyed from there. Errors: those of set_proxy and curl_error, internal_error.
  using Connected = std::function<void(Result<void>)>;
  void connect(const std::string& url, const AddressPolicy& allowed,
               const NetworkSettings& settings, Connected connected);

  // When it is connected.

  /// Calls `ready` while it can go on, or has broken; which of both it waits for is `wait_for`.
  void on_ready(std::function<void()> ready);
  void wait_for(bool receiving, bool sending);
  /// It may have more when its socket has not: until `wait`, nothing will call.
  Moved receive(char* to, std::size_t size);
  /// After `wait` it wants the same bytes again, at the same place.
  Moved send(const char* from, std::size_t size);
  /// The server is told that nothing more comes. Under TLS by the socket alone: libcurl cannot say
  /// goodbye one way.
  void end_sending();

 private:
  Result<void> prepare(const NetworkSettings& settings);
  void finish(CURLcode code);

  Reactor& loop_;
  std::string url_;
  AddressCheck check_;
  char detail_[CURL_ERROR_SIZE] = "";
  CurlHandle curl_;
  CurlMulti multi_;
  Connected connected_;
  curl_socket_t socket_ = CURL_SOCKET_BAD;
  WatchId watch_ = 0;
};

}  // namespace nexus
