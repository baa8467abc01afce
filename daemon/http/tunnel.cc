#include "daemon/http/tunnel.h"

#include <string.h>
#include <sys/epoll.h>

#include <algorithm>
#include <utility>

#include "daemon/loop/read_buffer.h"

namespace nexus::http {
namespace {

/// So that one tunnel does not hold up what else the loop has to do.
constexpr int kPiecesAtOnce = 4;

}  // namespace

Tunnel::Tunnel(std::shared_ptr<Pipe> from_client, std::shared_ptr<Pipe> to_client,
               std::string_view early, const std::function<void()>& moved)
    : from_client_(std::move(from_client)), to_client_(std::move(to_client)) {
  from_client_->on_room(moved);
  to_client_->on_data(moved);
  from_client_->write(early);
}

Tunnel::~Tunnel() {
  if (from_client_) from_client_->end();
  if (to_client_) to_client_->abandon();
}

std::uint32_t Tunnel::interest() const {
  if (client_gone_) return 0;
  return (client_ended_ || is_full_ ? 0U : EPOLLIN | EPOLLRDHUP) | (wants_write_ ? EPOLLOUT : 0U);
}

Tunnel::State Tunnel::move(Transport& transport, bool is_gone) {
  if (is_gone) lose_client();
  receive(transport);
  if (!client_gone_) {
    const auto state = send(transport);
    if (!client_gone_) return state;
    receive(transport);  // its last words
  }
  return client_ended_ ? State::gone : State::open;
}

void Tunnel::lose_client() {
  client_gone_ = true;
  wants_write_ = false;
  to_client_->abandon();
}

void Tunnel::receive(Transport& transport) {
  while (!client_ended_) {
    const auto room = from_client_->room();
    is_full_ = room == 0;
    if (is_full_) return;
    const auto buffer = read_buffer();
    const auto got = transport.receive(buffer.data(), std::min(buffer.size(), room));
    if (got.state == Moved::State::closed) {
      client_ended_ = true;
      return from_client_->end();
    }
    if (got.state != Moved::State::some) return;
    from_client_->write({buffer.data(), got.bytes});
    explicit_bzero(buffer.data(), got.bytes);
    // The socket tells again, but for what TLS holds, and of a client that is gone.
    if (!transport.has_buffered() && !client_gone_) return;
  }
}

Tunnel::State Tunnel::send(Transport& transport) {
  for (int i = 0; i < kPiecesAtOnce; ++i) {
    if (!drain(transport)) return State::open;
    auto taken = to_client_->take(Pipe::kPiece);
    piece_ = std::move(taken.bytes);
    if (piece_.empty()) return taken.state == Pipe::State::open ? State::open : State::ended;
  }
  wants_write_ = true;
  return State::open;
}

/// Sends more of the piece; whether that was the last of it.
bool Tunnel::drain(Transport& transport) {
  const bool did_wait = std::exchange(wants_write_, false);
  const auto now = std::chrono::steady_clock::now();
  while (sent_ < piece_.size()) {
    const auto sent = transport.send(piece_.data() + sent_, piece_.size() - sent_);
    if (sent.state == Moved::State::closed) {
      lose_client();
      return false;
    }
    if (sent.state != Moved::State::some) {
      if (!did_wait) moved_at_ = now;
      wants_write_ = true;
      return false;
    }
    sent_ += sent.bytes;
    moved_at_ = now;
  }
  sent_ = 0;
  return true;
}

}  // namespace nexus::http
