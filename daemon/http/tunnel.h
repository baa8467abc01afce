#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "daemon/http/transport.h"
#include "daemon/loop/pipe.h"

namespace nexus::http {

/// What becomes of an accepted socket that leaves HTTP: bytes go both ways as they come, through a
/// pipe each, none faster than the other end takes it. It waits for nothing by itself. For the
/// loop's thread.
class Tunnel {
 public:
  using Time = std::chrono::steady_clock::time_point;
  enum class State {
    open,
    ended,  ///< by the other end; all that it had sent has been sent on
    gone,   ///< the client is, and all that it had sent has been taken
  };

  /// `early`: what the client has sent already. `moved` is called when `move` can go on.
  Tunnel(std::shared_ptr<Pipe> from_client, std::shared_ptr<Pipe> to_client, std::string_view early,
         const std::function<void()>& moved);
  /// The other end learns that the client sends and reads nothing any more.
  ~Tunnel();
  Tunnel(Tunnel&&) = default;
  Tunnel& operator=(Tunnel&&) = delete;

  /// In both directions, as far as it goes. `is_gone`: the client takes nothing any more.
  State move(Transport& transport, bool is_gone);
  /// The epoll events to wait for; 0: none at all, not even a hangup.
  std::uint32_t interest() const;
  /// Whether something waits for the client to take it; since when it has taken nothing.
  bool waits_for_client() const { return wants_write_; }
  Time moved_at() const { return moved_at_; }
  /// What its client has not taken yet, in bytes.
  std::size_t unsent() const { return piece_.size(); }
  /// Nothing more is to arrive, of what has been taken either.
  bool is_cut() const { return to_client_->is_cut(); }

 private:
  void lose_client();
  void receive(Transport& transport);
  State send(Transport& transport);
  bool drain(Transport& transport);

  std::shared_ptr<Pipe> from_client_;
  std::shared_ptr<Pipe> to_client_;
  std::string piece_;  ///< of what goes to the client
  std::size_t sent_ = 0;
  bool wants_write_ = false;
  bool is_full_ = false;       ///< nobody takes more of what the client sends for now
  bool client_ended_ = false;  ///< it sends no more
  bool client_gone_ = false;   ///< nor does it read
  Time moved_at_{};
};

}  // namespace nexus::http
