#include "cli/exec/relay.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace nexus::cli {

pollfd Relay::next() const {
  if (!is_open_) return {-1, 0, 0};
  return ready_.empty() ? pollfd{from_.get(), POLLIN, 0} : pollfd{to_, POLLOUT, 0};
}

void Relay::step() {
  ready_.empty() ? read_some() : write_some();
  if (has_ended_ && ready_.empty()) close();
}

void Relay::finish() {
  while (is_open_) {
    auto wait = next();
    if (poll(&wait, 1, 0) > 0) {
      step();
    } else if (ready_.empty()) {
      end();
      if (ready_.empty()) close();
    } else {
      close();
    }
  }
}

void Relay::read_some() {
  std::array<char, PIPE_BUF> buffer{};  // what is written at once, too
  const auto got = read(from_.get(), buffer.data(), buffer.size());
  if (got > 0) {
    set_ready(stream_.pass(std::string_view(buffer.data(), static_cast<std::size_t>(got))));
    explicit_bzero(buffer.data(), static_cast<std::size_t>(got));
  } else if (got == 0 || errno != EINTR) {
    end();
  }
}

void Relay::write_some() {
  // A pipe that can be written takes so much without waiting.
  const auto left = std::string_view(ready_).substr(written_);
  const auto written = write(to_, left.data(), std::min<std::size_t>(left.size(), PIPE_BUF));
  if (written >= 0) {
    written_ += static_cast<std::size_t>(written);
    if (written_ == ready_.size()) set_ready({});
  } else if (errno != EINTR && errno != EAGAIN) {
    if (errno != EPIPE) write_error_ = errno;
    close();
  }
}

void Relay::end() {
  has_ended_ = true;
  set_ready(stream_.end());
}

void Relay::set_ready(SecretText text) {
  ready_ = std::move(text);
  written_ = 0;
}

void Relay::close() {
  is_open_ = false;
  set_ready({});
  Descriptor closing(std::move(from_));
}

}  // namespace nexus::cli
