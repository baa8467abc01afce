#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/body_decoder.h"
#include "common/secret.h"
#include "daemon/net/curl_connection.h"
#include "daemon/net/streaming_client.h"

namespace nexus {

/// One request of a StreamingClient that offers to go on as a WebSocket, on a connection of its
/// own: where the server takes the offer, bytes go both ways as they come until either end closes;
/// else its answer is one like any other. For the client's loop.
class WebSocketExchange {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// `moved` is called on the loop when `resume` can go on, `over` at the end of the turn in which
  /// it came to its end.
  WebSocketExchange(StreamedRequest request, StreamingClient::Answered answered, Reactor& loop,
                    std::function<void()> moved, std::function<void()> over);
  /// What it has of streams is broken off; the other ends learn of it.
  ~WebSocketExchange();
  WebSocketExchange(const WebSocketExchange&) = delete;
  WebSocketExchange& operator=(const WebSocketExchange&) = delete;

  void begin(const NetworkSettings& settings);
  /// A stream that it waits for has moved, or nobody wants the answer any more.
  void resume();
  /// Whether the server has had its turn for so long. In a tunnel it has one only while it does not
  /// take what was sent to it.
  bool is_silent_since(Time then) const;
  /// For that.
  void give_up();

 private:
  enum class State {
    connecting,
    asking,  ///< until the answer's head is there
    body,    ///< of an answer like any other
    tunnel,
    over,
  };

  void ask();
  void move();
  void send();
  bool send_all(std::string_view bytes);
  void send_no_more();
  void receive();
  std::size_t room();
  void take(std::string_view bytes);
  void take_head();
  void on_head(AnswerHead head);
  void take_body(std::string_view bytes);
  void closed(bool is_broken);
  void end_soon();
  void fail(const char* fault);
  void fail(Error error);
  void end();
  void note_move() { moved_at_ = Time::clock::now(); }

  StreamedRequest request_;
  StreamingClient::Answered answered_;  ///< empty once the head, or why there is none, was told
  Reactor& loop_;
  std::function<void()> moved_;
  std::function<void()> over_;
  CurlConnection connection_;
  State state_ = State::connecting;
  SecretText head_;       ///< of the request, until it is sent
  std::string piece_;     ///< of what goes to the server
  std::size_t sent_ = 0;  ///< of either
  std::string in_;        ///< of the answer's head, or of its chunks' framing
  std::size_t head_bytes_ = 0;
  std::shared_ptr<Pipe> from_server_;
  std::shared_ptr<Pipe> to_server_;
  std::optional<BodyDecoder> decoder_;  ///< nothing for a body up to the connection's end
  bool waits_to_send_ = false;
  bool waits_to_receive_ = false;
  bool has_ended_sending_ = false;
  bool is_ending_ = false;  ///< the caller has closed its side
  TimerId last_call_;
  Time moved_at_ = Time::clock::now();  ///< when the server last took or gave something
};

}  // namespace nexus
