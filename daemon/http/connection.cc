#include "daemon/http/connection.h"

#include <string.h>
#include <sys/epoll.h>

#include <algorithm>
#include <utility>

#include "common/text.h"
#include "daemon/http/response_head.h"
#include "daemon/loop/read_buffer.h"

namespace nexus::http {
namespace {

using namespace std::chrono_literals;

constexpr auto kHeadDeadline = 10s;  ///< from a request's first byte to its last
constexpr auto kIdleDeadline = 30s;
constexpr auto kWriteDeadline = 30s;
constexpr auto kLinger = 2s;
constexpr auto kStreamDeadline = 60s;  ///< from one piece of a stream to the next
constexpr std::size_t kSentWithHead = 4 * 1024;
constexpr std::size_t kMaxBuffered = 1024 * 1024 + 64 * 1024;

Connection::Time now() {
  return std::chrono::steady_clock::now();
}

}  // namespace

Connection::~Connection() {
  if (wanted_) wanted_->end();
}

Connection::Connection(Transport transport, const Caller& caller,
                       std::shared_ptr<const Listener> listener, Reactor& loop,
                       std::function<void()> moved)
    : transport_(std::move(transport)),
      caller_(caller),
      listener_(std::move(listener)),
      loop_(loop),
      moved_(std::move(moved)),
      since_(now()),
      deadline_(since_ + kHeadDeadline) {}

bool Connection::waits_for_client() const {
  if (state_ == State::reading || state_ == State::lingering) return true;
  if (state_ == State::tunnel) return tunnel_->waits_for_client();
  return wants_write_ || (incoming_ && !is_full_) || (state_ == State::writing && !outgoing_);
}

std::uint32_t Connection::interest() const {
  if (state_ == State::tunnel) return tunnel_->interest();
  // A client that goes away ends what is done for it. The same as while it is read, so that most
  // requests change nothing.
  if (passing_on_) {
    const auto read = is_full_ ? 0U : sent_ahead_ ? EPOLLRDHUP : EPOLLIN | EPOLLRDHUP;
    return read | (wants_write_ ? EPOLLOUT : 0U);
  }
  if (state_ == State::handling && sent_ahead_) return 0;
  return wants_write_ ? EPOLLOUT : EPOLLIN | EPOLLRDHUP;
}

std::optional<Parsed> Connection::on_ready(std::uint32_t events) {
  const bool is_gone = (events & (EPOLLHUP | EPOLLERR)) != 0;
  if (state_ == State::tunnel) return move_tunnel(is_gone);
  if (passing_on_) {
    if (is_gone) return end();
    if (incoming_ && (events & EPOLLIN) != 0)
      if (auto parsed = receive_body(); parsed || state_ == State::over) return parsed;
    if (!incoming_ && (events & EPOLLRDHUP) != 0) return end();
    sent_ahead_ = !incoming_ && (events & EPOLLIN) != 0;  // the next request: it waits
    return state_ == State::writing ? flush() : std::nullopt;
  }
  switch (state_) {
    case State::reading:
      return receive();
    case State::handling:
      // The client sends ahead or went away. Its request is finished all the same; what it sent is
      // read afterwards.
      sent_ahead_ = true;
      return std::nullopt;
    case State::writing:
      return is_gone ? end() : flush();
    case State::lingering:
      return is_gone ? end() : drop_what_comes();
    case State::tunnel:
    case State::over:
      break;
  }
  return std::nullopt;
}

std::optional<Parsed> Connection::on_moved() {
  if ((outgoing_ && outgoing_->is_cut()) || (tunnel_ && tunnel_->is_cut())) {
    transport_.break_off();
    return end();
  }
  if (state_ == State::tunnel) return move_tunnel(false);
  if (!passing_on_) return std::nullopt;
  if (incoming_)
    if (auto parsed = receive_body(); parsed || state_ == State::over) return parsed;
  return state_ == State::writing ? flush() : std::nullopt;
}

std::optional<Parsed> Connection::receive() {
  const auto buffer = read_buffer();
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
  auto parsed = parse_head(in_);
  if (parsed.state == Parsed::State::incomplete) return std::nullopt;
  const bool has_head = parsed.state == Parsed::State::complete;
  const auto& passes_on = listener_->options.passes_on;
  auto* reader = has_head && passes_on ? passes_on(parsed.request) : nullptr;
  // Only where it is needed: a callback's has a code.
  if (reader) parsed.request.target = parsed.target;
  if (has_head && !reader) parsed = with_body(std::move(parsed), in_);
  if (parsed.state == Parsed::State::incomplete) return std::nullopt;
  if (parsed.state == Parsed::State::complete) remove_front(in_, parsed.consumed);
  close_after_ = parsed.state == Parsed::State::refused || !parsed.request.keep_alive ||
                 !listener_->options.keep_alive || (parsed.request.method == "HEAD" && !reader);
  state_ = State::handling;
  sent_ahead_ = false;
  if (reader) begin_passing_on(parsed, *reader);
  return parsed;
}

void Connection::begin_passing_on(Parsed& parsed, Reactor& reader) {
  auto& request = parsed.request;
  request.is_passed_on = true;
  request.wanted = wanted_ = std::make_shared<Wanted>();
  passing_on_ = true;
  is_full_ = false;
  is_http_1_0_ = request.is_http_1_0;
  has_no_body_ = request.method == "HEAD";
  // What comes behind such an offer may be no request, whatever becomes of it.
  offers_upgrade_ = request.count_headers("upgrade") > 0;
  close_after_ = close_after_ || offers_upgrade_;
  if (!parsed.is_chunked && request.length.value_or(0) == 0) return;
  request.stream = std::make_shared<Pipe>(loop_, reader);
  request.stream->on_room(moved_);
  incoming_.emplace(BodyDecoder(request.length), request.stream);
  deadline_ = now() + kStreamDeadline;
  if (in_.empty()) {
    // It waits for this before it sends (RFC 9110 10.1.1).
    constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    if (lower(request.header("expect")) == "100-continue" && !request.is_http_1_0)
      static_cast<void>(transport_.send(go_on.data(), go_on.size()));
    return;
  }
  const auto next = incoming_->feed(in_);
  in_.assign(next.begin(), next.end());
  if (incoming_->is_malformed()) close_after_ = true;
  if (incoming_->is_over() || incoming_->is_malformed()) incoming_.reset();
}

std::optional<Parsed> Connection::receive_body() {
  do {
    const auto room = incoming_->room();
    is_full_ = room == 0;
    if (is_full_) return std::nullopt;
    const auto buffer = read_buffer();
    const auto got = transport_.receive(buffer.data(), std::min(buffer.size(), room));
    if (got.state == Moved::State::closed) return end();
    if (got.state != Moved::State::some) return std::nullopt;
    deadline_ = now() + kStreamDeadline;
    in_.append(incoming_->feed({buffer.data(), got.bytes}));
    explicit_bzero(buffer.data(), got.bytes);
    if (incoming_->is_malformed()) close_after_ = true;
    if (incoming_->is_over() || incoming_->is_malformed()) incoming_.reset();
  } while (incoming_ && transport_.has_buffered());
  return std::nullopt;
}

std::optional<Parsed> Connection::send(Response& response, std::string_view request_id) {
  out_.reserve(response.body.size() + 512);
  if (incoming_) close_after_ = true;  // nobody reads on to where the next request would begin
  if (response.to_server) {
    begin_tunnel(response);
  } else if (response.is_passed_on) {
    using Framing = OutgoingBody::Framing;
    const auto framing = response.length ? Framing::length
                         : is_http_1_0_  ? Framing::until_close
                                         : Framing::chunks;
    if (response.stream && framing == Framing::until_close) close_after_ = true;
    write_passed_on_head(out_, response, response.stream && framing == Framing::chunks,
                         !close_after_);
    if (response.stream) {
      response.stream->on_data(moved_);
      outgoing_.emplace(std::move(response.stream), framing, response.length.value_or(0));
      begin_stream();
      if (state_ == State::over) return std::nullopt;
    }
  } else {
    write_head(out_, response, request_id, !close_after_);
    if (!has_no_body_) out_.append(response.body);
  }
  sent_ = 0;
  state_ = State::writing;
  deadline_ = now() + kWriteDeadline;
  return flush();
}

/// What has come of the answer's body by now leaves with its head.
void Connection::begin_stream() {
  switch (outgoing_->next(piece_)) {
    case OutgoingBody::Next::piece:
      if (piece_.size() > kSentWithHead) return;
      out_.append(piece_);
      piece_.clear();
      return;
    case OutgoingBody::Next::over:
      outgoing_.reset();
      return;
    case OutgoingBody::Next::wait:
      return;
    case OutgoingBody::Next::broken:
      // By its head the client can tell that a body is missing, unless the end of the connection is
      // to be the body's.
      if (close_after_ && is_http_1_0_) end();
  }
}

/// Sends more of `size` bytes; whether that was the last of them.
bool Connection::drain(const char* data, std::size_t size) {
  wants_write_ = false;
  while (sent_ < size) {
    const auto sent = transport_.send(data + sent_, size - sent_);
    if (sent.state == Moved::State::closed) {
      end();
      return false;
    }
    if (sent.state != Moved::State::some) {
      wants_write_ = sent.state == Moved::State::wait_writable;
      return false;
    }
    sent_ += sent.bytes;
    if (outgoing_) deadline_ = now() + kStreamDeadline;
  }
  sent_ = 0;
  return true;
}

std::optional<Parsed> Connection::flush() {
  if (!out_.empty()) {
    if (!drain(out_.data(), out_.size())) return std::nullopt;
    out_ = SecretText();
  }
  if (tunnel_) {
    state_ = State::tunnel;
    return move_tunnel(false);
  }
  return outgoing_ ? flush_stream() : answered();
}

/// Some at a time, so that one stream does not hold up what else the loop has to do.
std::optional<Parsed> Connection::flush_stream() {
  constexpr int kPiecesAtOnce = 4;
  for (int i = 0; i < kPiecesAtOnce; ++i) {
    if (!drain(piece_.data(), piece_.size())) return std::nullopt;
    piece_.clear();
    switch (outgoing_->next(piece_)) {
      case OutgoingBody::Next::piece:
        break;
      case OutgoingBody::Next::wait:
        return std::nullopt;
      case OutgoingBody::Next::broken:
        if (is_http_1_0_) transport_.break_off();  // its end would be taken for the body's
        return end();
      case OutgoingBody::Next::over:
        return answered();
    }
  }
  wants_write_ = true;
  return std::nullopt;
}

/// What was asked for has been sent in full.
std::optional<Parsed> Connection::answered() {
  wanted_.reset();
  if (incoming_ || offers_upgrade_) return linger();
  if (close_after_) return end();
  is_new_ = false;
  passing_on_ = false;
  has_no_body_ = false;
  outgoing_.reset();
  piece_ = std::string();
  if (in_.empty()) in_ = SecretText();
  state_ = State::reading;
  wants_write_ = false;
  deadline_ = now() + kIdleDeadline;
  return transport_.has_buffered() ? receive() : parse();
}

void Connection::begin_tunnel(Response& response) {
  transport_.keep_alive();
  write_switch_head(out_, response);
  tunnel_.emplace(std::move(response.to_server), std::move(response.stream), in_, moved_);
  in_ = SecretText();
  wanted_.reset();
}

std::optional<Parsed> Connection::move_tunnel(bool is_gone) {
  switch (tunnel_->move(transport_, is_gone)) {
    case Tunnel::State::open:
      deadline_ = tunnel_->moved_at() + kStreamDeadline;
      return std::nullopt;
    case Tunnel::State::ended:
      return linger();
    case Tunnel::State::gone:
      break;
  }
  return end();
}

/// Closing at once would have the kernel tell the client of a reset, perhaps before it has read the
/// answer.
std::optional<Parsed> Connection::linger() {
  incoming_.reset();
  outgoing_.reset();
  tunnel_.reset();
  passing_on_ = false;
  wants_write_ = false;
  state_ = State::lingering;
  deadline_ = now() + kLinger;
  transport_.end_sending();
  return drop_what_comes();
}

std::optional<Parsed> Connection::drop_what_comes() {
  const auto buffer = read_buffer();
  do {
    const auto got = transport_.receive(buffer.data(), buffer.size());
    if (got.state == Moved::State::closed) return end();
    if (got.state != Moved::State::some) return std::nullopt;
    explicit_bzero(buffer.data(), got.bytes);
  } while (transport_.has_buffered());
  return std::nullopt;
}

std::optional<Parsed> Connection::end() {
  state_ = State::over;
  return std::nullopt;
}

}  // namespace nexus::http
