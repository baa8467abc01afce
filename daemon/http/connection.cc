#include "daemon/http/connection.h"

#include <string.h>
#include <sys/epoll.h>

#include <array>
#include <utility>

#include "daemon/http/response_head.h"

namespace nexus::http {
namespace {

using namespace std::chrono_literals;

constexpr auto kHeadDeadline = 10s;  ///< from a request's first byte to its last
constexpr auto kIdleDeadline = 30s;
constexpr auto kWriteDeadline = 30s;
constexpr std::size_t kReadAtOnce = 64 * 1024;
constexpr std::size_t kMaxBuffered = 1024 * 1024 + 64 * 1024;

Connection::Time now() {
  return std::chrono::steady_clock::now();
}

}  // namespace

Connection::Connection(Transport transport, const Caller& caller,
                       std::shared_ptr<const Listener> listener)
    : transport_(std::move(transport)),
      caller_(caller),
      listener_(std::move(listener)),
      since_(now()),
      deadline_(since_ + kHeadDeadline) {}

std::uint32_t Connection::interest() const {
  if (state_ == State::handling && sent_ahead_) return 0;
  return wants_write_ ? EPOLLOUT : EPOLLIN;
}

std::optional<Parsed> Connection::on_ready(std::uint32_t events) {
  switch (state_) {
    case State::reading:
      return receive();
    case State::handling:
      // The client sends ahead or went away. Its request is finished all the same; what it sent is
      // read afterwards.
      sent_ahead_ = true;
      return std::nullopt;
    case State::writing:
      return (events & (EPOLLHUP | EPOLLERR)) != 0 ? end() : flush();
    case State::over:
      break;
  }
  return std::nullopt;
}

std::optional<Parsed> Connection::receive() {
  // One buffer for all: an idle connection owns none.
  static thread_local std::array<char, kReadAtOnce> buffer;
  do {
    const auto got = transport_.receive(buffer.data(), buffer.size());
    if (got.state == Moved::State::closed) return end();
    if (got.state != Moved::State::some) {
      wants_write_ = got.state == Moved::State::wait_writable;
      break;
    }
    if (in_.empty()) {
      since_ = now();
      deadline_ = since_ + kHeadDeadline;
    }
    if (in_.size() + got.bytes > kMaxBuffered) return end();
    in_.append(buffer.data(), got.bytes);
    explicit_bzero(buffer.data(), got.bytes);
  } while (transport_.has_buffered());
  return parse();
}

std::optional<Parsed> Connection::parse() {
  if (in_.empty()) return std::nullopt;
  auto parsed = parse_request(in_);
  if (parsed.state == Parsed::State::incomplete) return std::nullopt;
  if (parsed.state == Parsed::State::complete) in_.erase(0, parsed.consumed);
  close_after_ = parsed.state == Parsed::State::refused || !parsed.request.keep_alive ||
                 !listener_->options.keep_alive || parsed.request.method == "HEAD";
  state_ = State::handling;
  sent_ahead_ = false;
  return parsed;
}

std::optional<Parsed> Connection::send(const Response& response, std::string_view request_id) {
  out_.reserve(response.body.size() + 512);
  write_head(out_, response, request_id, !close_after_);
  out_.append(response.body);
  sent_ = 0;
  state_ = State::writing;
  deadline_ = now() + kWriteDeadline;
  return flush();
}

std::optional<Parsed> Connection::flush() {
  while (sent_ < out_.size()) {
    const auto sent = transport_.send(out_.data() + sent_, out_.size() - sent_);
    if (sent.state == Moved::State::closed) return end();
    if (sent.state != Moved::State::some) {
      wants_write_ = sent.state == Moved::State::wait_writable;
      return std::nullopt;
    }
    sent_ += sent.bytes;
  }
  if (close_after_) return end();
  out_ = SecretText();
  if (in_.empty()) in_ = SecretText();
  state_ = State::reading;
  wants_write_ = false;
  deadline_ = now() + kIdleDeadline;
  return transport_.has_buffered() ? receive() : parse();
}

std::optional<Parsed> Connection::end() {
  state_ = State::over;
  return std::nullopt;
}

}  // namespace nexus::http
