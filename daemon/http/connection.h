#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "daemon/http/listeners.h"
#include "daemon/http/request_parser.h"
#include "daemon/http/transport.h"

namespace nexus::http {

/// One accepted socket from its first byte to its end: requests are read one at a time, and the
/// next one is looked at when the one before has been answered. It waits for nothing by itself: it
/// says for which events and until when, and whoever owns it sees to that. For one thread.
class Connection {
 public:
  using Time = std::chrono::steady_clock::time_point;
  enum class State { reading, handling, writing, over };

  Connection(Transport transport, const Caller& caller, std::shared_ptr<const Listener> listener);

  /// These epoll events are there. Returns the request that has been read in full, or what it is
  /// refused for, if there is one now; then it wants an answer.
  std::optional<Parsed> on_ready(std::uint32_t events);
  /// Answers that request, as fast as the socket takes it. Returns the next one if that has been
  /// read already.
  std::optional<Parsed> send(const Response& response, std::string_view request_id);
  /// It ends with the answer to the present request.
  void close_after_answer() { close_after_ = true; }
  /// It ends then, if it is not waited for.
  void hurry(Time deadline) { deadline_ = std::min(deadline_, deadline); }

  State state() const { return state_; }
  /// The epoll events to wait for; 0: none at all, not even a hangup.
  std::uint32_t interest() const;
  /// When to give it up: never while its request is being handled.
  Time deadline() const { return state_ == State::handling ? Time::max() : deadline_; }
  /// Since when it has been reading its present request, or waiting for its first one.
  Time since() const { return since_; }
  /// What its client has not taken yet, in bytes.
  std::size_t unsent() const { return out_.size(); }
  const Caller& caller() const { return caller_; }
  const Listener& listener() const { return *listener_; }

 private:
  std::optional<Parsed> receive();
  std::optional<Parsed> parse();
  std::optional<Parsed> flush();
  std::optional<Parsed> end();

  Transport transport_;
  Caller caller_;
  std::shared_ptr<const Listener> listener_;
  State state_ = State::reading;
  SecretText in_;
  SecretText out_;
  std::size_t sent_ = 0;
  bool close_after_ = false;
  bool wants_write_ = false;
  bool sent_ahead_ = false;  ///< something came while a request was being handled
  Time since_;
  Time deadline_;
};

}  // namespace nexus::http
