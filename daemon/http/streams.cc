#include "daemon/http/streams.h"

#include <charconv>
#include <utility>

namespace nexus::http {
namespace {

void append_hex(std::string& to, std::size_t number) {
  char digits[16];
  const auto end = std::to_chars(digits, digits + sizeof digits, number, 16).ptr;
  to.append(digits, end);
}

}  // namespace

IncomingBody::~IncomingBody() {
  if (pipe_) pipe_->break_off();
}

std::string IncomingBody::feed(std::string_view data) {
  if (!line_.empty()) data = line_.append(data);
  std::size_t used = 0;
  while (!decoder_.is_over() && !decoder_.is_malformed()) {
    const auto step = decoder_.step(data.substr(used));
    if (!step.content.empty()) pipe_->write(step.content);
    used += step.used;
    if (step.used == 0 && !decoder_.is_over()) break;
  }
  std::string rest(data.substr(used));
  if (decoder_.is_over()) {
    pipe_->end();
    return rest;
  }
  if (decoder_.is_malformed()) pipe_->break_off();
  line_ = std::move(rest);
  return {};
}

OutgoingBody::~OutgoingBody() {
  if (pipe_) pipe_->abandon();
}

OutgoingBody::Next OutgoingBody::next(std::string& to) {
  if (over_) return Next::over;
  auto taken = pipe_->take(Pipe::kPiece);
  const auto size = taken.bytes.size();
  if (size == 0 && taken.state == Pipe::State::open) return Next::wait;
  if (framing_ == Framing::length && size > left_) return Next::broken;
  left_ -= framing_ == Framing::length ? size : 0;
  if (framing_ == Framing::chunks && size > 0) {
    append_hex(to, size);
    to.append("\r\n").append(taken.bytes).append("\r\n");
  } else {
    to = std::move(taken.bytes);
  }
  if (taken.state == Pipe::State::broken) return size > 0 ? Next::piece : Next::broken;
  if (taken.state == Pipe::State::ended && framing_ == Framing::length && left_ > 0)
    return Next::broken;
  over_ = taken.state == Pipe::State::ended;
  if (over_ && framing_ == Framing::chunks) to.append("0\r\n\r\n");
  return to.empty() ? Next::over : Next::piece;
}

}  // namespace nexus::http
