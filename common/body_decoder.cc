#include "common/body_decoder.h"

#include <algorithm>

namespace nexus {
namespace {

constexpr std::size_t kMostDigits = 15;
constexpr std::size_t kMostTrailers = 8 * 1024;

std::optional<std::uint64_t> chunk_size(std::string_view text) {
  if (text.empty() || text.size() > kMostDigits) return std::nullopt;
  std::uint64_t size = 0;
  for (const char c : text) {
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) return std::nullopt;
    size = size * 16 + static_cast<std::uint64_t>(digit);
  }
  return size;
}

}  // namespace

BodyDecoder::BodyDecoder(std::optional<std::uint64_t> length)
    : state_(!length        ? State::size
             : *length == 0 ? State::over
                            : State::content),
      left_(length.value_or(0)) {}

BodyDecoder::Step BodyDecoder::step(std::string_view data) {
  if (state_ == State::over || state_ == State::malformed) return {};
  if (state_ != State::content && state_ != State::chunk) return line(data);
  const auto content =
      data.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, data.size())));
  left_ -= content.size();
  if (left_ == 0) state_ = state_ == State::content ? State::over : State::chunk_end;
  return {content, content.size()};
}

BodyDecoder::Step BodyDecoder::line(std::string_view data) {
  const auto end = data.find('\n');
  const auto longest = state_ == State::trailers ? kMostTrailers - trailers_ : kMostDigits + 2;
  if (end == std::string_view::npos) {
    if (data.size() >= longest) state_ = State::malformed;
    return {};
  }
  if (end == 0 || data[end - 1] != '\r' || end + 1 > longest) {
    state_ = State::malformed;
    return {};
  }
  const auto text = data.substr(0, end - 1);
  if (state_ == State::size) {
    const auto size = chunk_size(text);
    left_ = size.value_or(0);
    state_ = !size ? State::malformed : left_ == 0 ? State::trailers : State::chunk;
  } else if (state_ == State::chunk_end) {
    state_ = text.empty() ? State::size : State::malformed;
  } else {
    trailers_ += end + 1;
    if (text.empty())
      state_ = State::over;
    else if (text.find('\r') != std::string_view::npos)
      state_ = State::malformed;
  }
  return {{}, state_ == State::malformed ? 0 : end + 1};
}

}  // namespace nexus
