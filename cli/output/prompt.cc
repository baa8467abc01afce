#include "cli/output/prompt.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "common/text.h"

namespace nexus::cli {
namespace {

constexpr std::size_t kMostBytes = 64 * 1024;

/// Switches a terminal's echo off for as long as it lives.
class EchoOff {
 public:
  explicit EchoOff(int fd) : fd_(fd) {
    active_ = isatty(fd) && tcgetattr(fd, &before_) == 0;
    if (!active_) return;
    auto quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(fd, TCSAFLUSH, &quiet);
  }
  ~EchoOff() {
    if (active_) tcsetattr(fd_, TCSAFLUSH, &before_);
  }
  EchoOff(const EchoOff&) = delete;
  EchoOff& operator=(const EchoOff&) = delete;
  bool active() const { return active_; }

 private:
  int fd_;
  bool active_ = false;
  termios before_{};
};

void say(const std::string& text) {
  [[maybe_unused]] const auto written = write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

Result<Secret> read_secret(const std::string& file, const std::string& prompt) {
  const bool from_stdin = file == "-";
  const int fd = from_stdin ? STDIN_FILENO : open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return Error{ErrorCode::usage, "cannot read " + file + ": " + std::strerror(errno),
                 "name an existing file, or - for stdin"};
  const EchoOff quiet(fd);
  if (quiet.active()) say(prompt + ": ");
  SecretText text;
  std::array<char, 4096> buffer{};
  for (ssize_t got = 0; (got = read(fd, buffer.data(), buffer.size())) > 0;) {
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > kMostBytes || (quiet.active() && text.ends_with('\n'))) break;
  }
  explicit_bzero(buffer.data(), buffer.size());
  if (!from_stdin) close(fd);
  if (quiet.active()) say("\n");
  if (text.size() > kMostBytes)
    return Error{ErrorCode::usage, file + " is too large for a secret", "name the right file"};
  const auto value = trim(text);
  if (value.empty())
    return Error{ErrorCode::usage, "the secret is empty", "give it in a file or on stdin"};
  return Secret(value);
}

}  // namespace nexus::cli
