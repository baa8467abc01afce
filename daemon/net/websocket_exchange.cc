#include "daemon/net/websocket_exchange.h"

#include <algorithm>
#include <utility>

#include "common/text.h"
#include "daemon/loop/read_buffer.h"
#include "daemon/net/url.h"

namespace nexus {
namespace {

using namespace std::chrono_literals;

/// Some at a time, so that one tunnel does not hold up what else the loop has to do.
constexpr int kPiecesAtOnce = 4;
/// For the server to end, once the caller has.
constexpr auto kLastCall = 30s;

SecretText text_of(const RequestHead& head, const Url& url) {
  SecretText text(head.method);
  text.append(" ").append(url.path);
  if (url.has_query) text.append("?").append(url.query);
  text.append(" HTTP/1.1\r\nHost: ").append(url.authority()).append("\r\n");
  for (const auto& [name, value] : head.headers)
    text.append(name).append(": ").append(value.expose()).append("\r\n");
  return text.append("\r\n");
}

/// Takes the lines of a whole head, each with CR LF. What is wrong with them, "" for nothing.
const char* read_lines(std::string_view lines, AnswerHead& head) {
  if (!lines.starts_with("HTTP/1.1 ") && !lines.starts_with("HTTP/1.0 "))
    return "it is not HTTP/1.1";
  while (!lines.empty()) {
    const auto line = lines.substr(0, lines.find("\r\n"));
    if (line.find_first_of("\r\n") != std::string_view::npos)
      return "a line of its head ends without CR LF";
    if (const char* fault = head.add_line(line); *fault != '\0') return fault;
    lines.remove_prefix(line.size() + 2);
  }
  return "";
}

}  // namespace

WebSocketExchange::WebSocketExchange(StreamedRequest request, StreamingClient::Answered answered,
                                     Reactor& loop, std::function<void()> moved,
                                     std::function<void()> over)
    : request_(std::move(request)),
      answered_(std::move(answered)),
      loop_(loop),
      moved_(std::move(moved)),
      over_(std::move(over)),
      connection_(loop) {}

WebSocketExchange::~WebSocketExchange() {
  loop_.cancel(last_call_);
  if (to_server_) to_server_->abandon();
  if (from_server_) from_server_->break_off();  // unless it has come to its end
}

void WebSocketExchange::begin(const NetworkSettings& settings) {
  if (request_.wanted)
    request_.wanted->on_end([&loop = loop_, moved = moved_] { loop.post(moved); });
  connection_.connect(request_.head.url, request_.addresses, settings,
                      [this](Result<void> connected) {
                        if (state_ != State::connecting) return;
                        if (!connected) return fail(connected.error());
                        ask();
                      });
}

void WebSocketExchange::ask() {
  const auto url = parse_url(request_.head.url, "the URL of a request");
  if (!url) return fail(url.error());
  head_ = text_of(request_.head, *url);
  request_.head.headers.clear();  // their credential is not to be there for days
  state_ = State::asking;
  connection_.on_ready([this] { move(); });
  move();
}

void WebSocketExchange::resume() {
  if (state_ == State::over) return;
  if (request_.wanted && request_.wanted->is_over()) return end();
  if (from_server_ && from_server_->is_cut()) return end();
  if (from_server_ && from_server_->is_abandoned()) {
    if (state_ != State::tunnel) return end();
    end_soon();  // what the caller has sent before is still sent on
  }
  if (state_ != State::connecting) move();
}

/// In both directions, as far as it goes.
void WebSocketExchange::move() {
  if (state_ != State::over) send();
  if (state_ != State::over) receive();
  if (state_ != State::over) connection_.wait_for(waits_to_receive_, waits_to_send_);
}

void WebSocketExchange::send() {
  if (!head_.empty()) {
    if (!send_all(head_)) return;
    head_ = SecretText();
  }
  while (send_all(piece_)) {
    piece_.clear();
    if (!to_server_ || has_ended_sending_) return;
    auto taken = to_server_->take(Pipe::kPiece);
    piece_ = std::move(taken.bytes);
    if (!piece_.empty()) continue;
    if (taken.state == Pipe::State::open) return;
    has_ended_sending_ = true;
    // Nobody is left: neither to send something, nor to read an answer to it.
    if (from_server_->is_abandoned()) return end();
    connection_.end_sending();
    return end_soon();
  }
}

/// Sends more of `bytes`; whether that was the last of them.
bool WebSocketExchange::send_all(std::string_view bytes) {
  const bool did_wait = std::exchange(waits_to_send_, false);
  while (sent_ < bytes.size()) {
    const auto sent = connection_.send(bytes.data() + sent_, bytes.size() - sent_);
    if (sent.state == CurlConnection::Moved::State::wait) {
      if (!did_wait) note_move();
      waits_to_send_ = true;
      return false;
    }
    if (sent.state != CurlConnection::Moved::State::some) {
      send_no_more();
      return false;
    }
    sent_ += sent.bytes;
    note_move();
  }
  sent_ = 0;
  return true;
}

/// The server takes nothing any more. What it has said before is still there to be received.
void WebSocketExchange::send_no_more() {
  head_ = SecretText();
  piece_.clear();
  sent_ = 0;
  has_ended_sending_ = true;
  if (to_server_) to_server_->abandon();
}

void WebSocketExchange::receive() {
  for (int i = 0; i < kPiecesAtOnce; ++i) {
    const auto most = room();
    const bool did_wait = std::exchange(waits_to_receive_, most > 0);
    if (most == 0) return;
    if (!did_wait) note_move();
    const auto buffer = read_buffer();
    const auto got = connection_.receive(buffer.data(), std::min(buffer.size(), most));
    if (got.state == CurlConnection::Moved::State::wait) return;
    if (got.state != CurlConnection::Moved::State::some)
      return closed(got.state == CurlConnection::Moved::State::broken);
    note_move();
    take({buffer.data(), got.bytes});
    if (state_ == State::over) return;
  }
  // TLS may hold more that the socket does not tell of.
  loop_.post(moved_);
}

/// How much may be received now.
std::size_t WebSocketExchange::room() {
  if (!from_server_) return Pipe::kPiece;
  return from_server_->is_abandoned() ? 0 : from_server_->room();
}

void WebSocketExchange::take(std::string_view bytes) {
  if (state_ == State::tunnel) return from_server_->write(bytes);
  if (state_ == State::body) return take_body(bytes);
  in_.append(bytes);
  take_head();
}

void WebSocketExchange::take_head() {
  while (state_ == State::asking) {
    const auto end = in_.find("\r\n\r\n");
    const auto size = end == std::string::npos ? in_.size() : end + 4;
    if (head_bytes_ + size > kMaxHeadBytes) return fail("its headers are too large");
    if (end == std::string::npos) return;
    head_bytes_ += size;
    AnswerHead head;
    if (const char* fault = read_lines(std::string_view(in_).substr(0, end + 2), head);
        *fault != '\0')
      return fail(fault);
    in_.erase(0, size);
    if (!head.is_interim()) on_head(std::move(head));
  }
}

void WebSocketExchange::on_head(AnswerHead head) {
  const char* fault =
      head.status == 101 ? fault_of_switch(head, *request_.websocket) : head.read_framing();
  if (*fault != '\0') return fail(fault);
  const auto rest = std::exchange(in_, {});
  from_server_ = std::make_shared<Pipe>(loop_, *request_.reader);
  from_server_->on_room(moved_);
  StreamedAnswer answer{head.status, std::move(head.headers)};
  if (head.status == 101) {
    // Who wants it from here on is told by the pipes.
    if (auto wanted = std::exchange(request_.wanted, nullptr)) wanted->on_end({});
    state_ = State::tunnel;
    to_server_ = std::make_shared<Pipe>(*request_.reader, loop_);
    to_server_->on_data(moved_);
    answer.body = from_server_;
    answer.to_server = to_server_;
    std::exchange(answered_, nullptr)(std::move(answer));
    take(rest);
    return send();  // who writes calls whoever has looked
  }
  state_ = State::body;
  const bool has_none = head.status == 204 || head.status == 304 || head.length == 0;
  if (head.status != 204) answer.length = head.length;  // it cannot have any
  if (head.length || head.is_chunked) decoder_.emplace(head.length);
  if (!has_none) answer.body = from_server_;
  std::exchange(answered_, nullptr)(std::move(answer));
  return has_none ? end() : take(rest);
}

void WebSocketExchange::take_body(std::string_view bytes) {
  if (!decoder_) return from_server_->write(bytes);
  in_.append(bytes);
  std::string_view left(in_);
  while (!decoder_->is_over() && !decoder_->is_malformed()) {
    const auto step = decoder_->step(left);
    if (!step.content.empty()) from_server_->write(step.content);
    left.remove_prefix(step.used);
    if (step.used == 0) break;
  }
  if (decoder_->is_over()) from_server_->end();
  if (decoder_->is_over() || decoder_->is_malformed()) return end();
  in_.erase(0, in_.size() - left.size());
}

/// The server has closed the connection, or it has broken.
void WebSocketExchange::closed(bool is_broken) {
  if (state_ == State::asking) {
    if (!in_.empty() && !is_broken) return fail("its head breaks off");
    return fail(curl_error(is_broken ? CURLE_RECV_ERROR : CURLE_GOT_NOTHING, "",
                           server_of(request_.head.url), AddressCheck{}));
  }
  if (!is_broken && !decoder_) from_server_->end();
  end();
}

/// A caller that has closed its side may wait for what the server says to that.
void WebSocketExchange::end_soon() {
  if (std::exchange(is_ending_, true)) return;
  last_call_ = loop_.after(kLastCall, [this] { end(); });
}

bool WebSocketExchange::is_silent_since(Time then) const {
  const bool has_turn = state_ == State::tunnel ? waits_to_send_
                        : state_ == State::over ? false
                                                : state_ == State::asking || waits_to_receive_;
  return has_turn && moved_at_ < then;
}

void WebSocketExchange::give_up() {
  fail(curl_error(CURLE_OPERATION_TIMEDOUT, "", server_of(request_.head.url), AddressCheck{}));
}

void WebSocketExchange::fail(const char* fault) {
  fail({ErrorCode::provider_protocol, "the answer cannot be passed on: " + std::string(fault),
        "tell whoever runs the server"});
}

void WebSocketExchange::fail(Error error) {
  // What was sent, or began to be, may have been read and acted upon.
  error.may_have_arrived = state_ != State::connecting;
  if (answered_) std::exchange(answered_, nullptr)(std::move(error));
  end();
}

void WebSocketExchange::end() {
  if (std::exchange(state_, State::over) == State::over) return;
  loop_.at_turn_end(over_);
}

}  // namespace nexus
