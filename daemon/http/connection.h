#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/http/listeners.h"
#include "daemon/http/request_parser.h"
#include "daemon/http/streams.h"
#include "daemon/http/transport.h"
#include "daemon/http/tunnel.h"
#include "daemon/loop/wanted.h"

namespace nexus::http {

/// One accepted socket from its first byte to its end: requests are read one at a time, and the
/// next one is looked at when the one before has been answered. It waits for nothing by itself: it
/// says for which events and until when, and whoever owns it sees to that. For one thread.
///
/// A request that is passed on is handed over by its head alone: its body goes into a pipe as it
/// comes, and the answer's comes out of another, both at a time, none faster than the other end
/// takes it. After an answer of status 101 it is a tunnel, and no more requests are read.
class Connection {
 public:
  using Time = std::chrono::steady_clock::time_point;
  enum class State {
    reading,
    handling,
    writing,
    tunnel,     ///< it has left HTTP
    lingering,  ///< answered before its client had sent all: what still comes is dropped
    over,
  };

  /// `moved` is called on the loop when a stream has come to where `on_moved` can go on with it.
  Connection(Transport transport, const Caller& caller, std::shared_ptr<const Listener> listener,
             Reactor& loop, std::function<void()> moved);
  /// Who works at a request that is passed on learns that nobody waits for it any more.
  ~Connection();
  Connection(Connection&&) = default;
  Connection& operator=(Connection&&) = delete;

  /// These epoll events are there. Returns the request that has been read in full, or what it is
  /// refused for, if there is one now; then it wants an answer.
  std::optional<Parsed> on_ready(std::uint32_t events);
  /// Goes on with what is streamed. Returns like `on_ready`.
  std::optional<Parsed> on_moved();
  /// Answers that request, as fast as the socket takes it. Returns the next one if that has been
  /// read already.
  std::optional<Parsed> send(Response& response, std::string_view request_id);
  /// It ends with the answer to the present request.
  void close_after_answer() { close_after_ = true; }
  /// It ends then, if it is not waited for.
  void hurry(Time deadline) { deadline_ = std::min(deadline_, deadline); }

  State state() const { return state_; }
  /// That its client has begun a request, or has just come and may be about to.
  bool expects_request() const { return state_ == State::reading && (is_new_ || !in_.empty()); }
  /// The epoll events to wait for; 0: none at all, not even a hangup.
  std::uint32_t interest() const;
  /// Whether it goes on as soon as its client does something.
  bool waits_for_client() const;
  bool is_passing_on() const { return passing_on_; }
  /// When to give it up: never while that is somebody else's doing, and never for a stream of the
  /// daemon's own user, who may page through it.
  Time deadline() const {
    const bool is_own_stream = passing_on_ && caller_.via == Caller::Via::control_socket;
    return waits_for_client() && !is_own_stream ? deadline_ : Time::max();
  }
  /// Since when it has been reading its present request, or waiting for its first one.
  Time since() const { return since_; }
  /// What its client has not taken yet, in bytes.
  std::size_t unsent() const {
    return out_.size() + piece_.size() + (tunnel_ ? tunnel_->unsent() : 0);
  }
  const Caller& caller() const { return caller_; }
  const Listener& listener() const { return *listener_; }

 private:
  std::optional<Parsed> receive();
  std::optional<Parsed> parse();
  void begin_passing_on(Parsed& parsed, Reactor& reader);
  std::optional<Parsed> receive_body();
  std::optional<Parsed> flush();
  void begin_stream();
  bool drain(const char* data, std::size_t size);
  std::optional<Parsed> flush_stream();
  std::optional<Parsed> answered();
  void begin_tunnel(Response& response);
  std::optional<Parsed> move_tunnel(bool is_gone);
  std::optional<Parsed> linger();
  std::optional<Parsed> drop_what_comes();
  std::optional<Parsed> end();

  Transport transport_;
  Caller caller_;
  std::shared_ptr<const Listener> listener_;
  Reactor& loop_;
  std::function<void()> moved_;
  State state_ = State::reading;
  SecretText in_;
  SecretText out_;
  std::size_t sent_ = 0;
  bool is_new_ = true;  ///< no request of it has been answered
  bool close_after_ = false;
  bool wants_write_ = false;
  bool sent_ahead_ = false;  ///< something came while a request was being handled
  bool passing_on_ = false;
  bool is_http_1_0_ = false;  ///< of the present request that is passed on
  bool has_no_body_ = false;  ///< nor has its answer
  bool offers_upgrade_ = false;
  std::shared_ptr<Wanted> wanted_;  ///< the answer to the present request that is passed on
  std::optional<IncomingBody> incoming_;
  std::optional<OutgoingBody> outgoing_;
  std::optional<Tunnel> tunnel_;
  std::string piece_;     ///< of the answer's body, on its way
  bool is_full_ = false;  ///< nobody takes more of the request's body for now
  Time since_;
  Time deadline_;
};

}  // namespace nexus::http
