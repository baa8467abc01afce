#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "common/error.h"
#include "daemon/loop/pipe.h"
#include "daemon/loop/reactor.h"
#include "daemon/loop/wanted.h"
#include "daemon/net/address_policy.h"
#include "daemon/net/answer_head.h"
#include "daemon/net/http_client.h"
#include "daemon/net/request_head.h"
#include "daemon/net/websocket.h"

namespace nexus {

/// What is sent behind a head: bytes that are kept, so that they could be sent again, or a stream
/// of a told or an untold length. By default nothing.
struct RequestBody {
  std::shared_ptr<const std::string> kept;
  std::shared_ptr<Pipe> stream;  ///< read by the client's loop
  std::optional<std::uint64_t> length;

  bool is_there() const { return kept || stream; }
};

struct StreamedRequest {
  RequestHead head;
  RequestBody body;
  AddressPolicy addresses;
  Reactor* reader = nullptr;       ///< the loop that reads the answer's body
  std::shared_ptr<Wanted> wanted;  ///< the answer; nothing where that is not told
  /// It offers to go on as a WebSocket: its head does, and it has no body.
  std::optional<WebSocketOffer> websocket;
  std::string whose;  ///< the key's that asks for it; "" for this user's own
};

struct StreamedAnswer {
  int status = 0;
  HeaderLines headers;         ///< as they came, in their order
  std::shared_ptr<Pipe> body;  ///< nothing where there is none, HEAD, 204 and 304 among it
  std::optional<std::uint64_t> length;
  /// Of status 101: what is sent on to the server from here on, written by the loop that reads the
  /// body. Both are the bytes of a WebSocket as they come.
  std::shared_ptr<Pipe> to_server;
};

/// Sends requests and receives answers whose bodies are streams of any length, many at a time, on a
/// loop of its own: their TLS and their traffic hold nobody else up. Towards servers it is as
/// HttpClient is: verified certificates, addresses that are looked at, no redirects, no cookies, no
/// decoding. Connections are kept and used again, each for whoever asks the same server; WebSockets
/// have their own, which stay until either end closes.
class StreamingClient {
 public:
  /// Once, on the client's loop: when the head is there (1xx ones are not told), or it failed.
  /// Errors: those of HttpClient, provider_protocol for a head that two readers could read
  /// differently, or that changes to a protocol that was not offered. What fails later breaks the
  /// answer's body off.
  using Answered = std::function<void(Result<StreamedAnswer>)>;

  /// `patience`: so long a server may neither take nor give anything; what waits for whoever asked
  /// waits for as long as that takes. A WebSocket may be idle: its server has to take what is sent.
  explicit StreamingClient(NetworkSettings settings,
                           std::chrono::milliseconds patience = std::chrono::minutes(5));
  ~StreamingClient();
  StreamingClient(const StreamingClient&) = delete;
  StreamingClient& operator=(const StreamingClient&) = delete;

  /// Its loop, which begins with the first call. Any thread.
  Reactor& loop();
  /// Ends it, and all that is under way, whose callers are told nothing: before anything goes that
  /// `Answered` functions use. What is posted to the loop from then on is not run.
  void stop();
  /// Any thread. A body that breaks off ends the request; so does nobody who wants the answer.
  /// Beyond a thousand at a time, or most_websockets, or beyond a key's share of them: overloaded.
  void send(StreamedRequest request, Answered answered);

 private:
  class Loop;
  const NetworkSettings settings_;
  const std::chrono::milliseconds patience_;
  std::once_flag begun_;
  std::unique_ptr<Loop> loop_;
};

}  // namespace nexus
