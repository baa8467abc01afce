#include "cli/output/prompt.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "cli/interrupt.h"
#include "cli/output/terminal_size.h"
#include "cli/output/wrapping.h"
#include "cli/secret_reader.h"
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

void put(const std::string& text) {
  [[maybe_unused]] const auto written = write(STDERR_FILENO, text.data(), text.size());
}

/// A question may be made of what a server has sent.
void put_question(const std::string& question) {
  const auto terminal = terminal_size(STDERR_FILENO);
  std::string lines;
  for (const auto& line : laid_out("", printable(question, question.size()) + ":",
                                   terminal ? std::optional(terminal->columns) : std::nullopt))
    lines += (lines.empty() ? "" : "\n") + line.text;
  put(lines + " ");
}

/// Reads to the end, or to the end of a line. Nothing where a person broke it off.
std::optional<SecretText> read_text(int fd, bool one_line) {
  SecretText text;
  std::array<char, 4096> buffer{};
  ssize_t got = 0;
  while (true) {
    if (!wait_unless_interrupted(fd, -1)) return std::nullopt;
    got = read(fd, buffer.data(), buffer.size());
    if (got <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > kMostBytes || (one_line && text.ends_with('\n'))) break;
  }
  explicit_bzero(buffer.data(), buffer.size());
  if (got < 0 || (one_line && got == 0 && text.empty())) return std::nullopt;
  return text;
}

/// Of a question that has no answer: Ctrl-C, or the end of what can be read.
Error broken_off() {
  if (is_interrupted()) return {ErrorCode::interrupted, "interrupted; nothing was changed"};
  return {ErrorCode::failure, "nothing was entered, and nothing was changed"};
}

}  // namespace

bool is_interactive() {
  return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

void say_on_terminal(const std::string& text) {
  put(printable(text, text.size()) + "\n");
}

Result<std::string> ask_line(const std::string& question, const std::string& fallback) {
  const CatchInterrupt interruptible;
  put_question(question + (fallback.empty() ? "" : " [" + fallback + "]"));
  const auto text = read_text(STDIN_FILENO, true);
  if (!text) {
    put("\n");
    return broken_off();
  }
  const auto answer = std::string(trim(*text));
  return answer.empty() ? fallback : answer;
}

Result<Secret> ask_secret(const std::string& question) {
  const CatchInterrupt interruptible;
  // Before the question: what is typed at its sight is neither shown nor thrown away.
  const EchoOff quiet(STDIN_FILENO);
  put_question(question);
  const auto text = read_text(STDIN_FILENO, true);
  put("\n");
  if (!text) return broken_off();
  return take_secret(*text, "what was entered");
}

Result<void> confirm(const std::string& question) {
  NEXUS_TRY(const auto answer, ask_line(question + " [y/N]", ""));
  const auto word = lower(answer);
  if (word == "y" || word == "yes") return {};
  return Error{ErrorCode::failure, "nothing was changed", ""};
}

Result<Secret> read_secret(const std::string& file, const std::string& prompt) {
  const bool from_stdin = file == "-";
  if (from_stdin && isatty(STDIN_FILENO)) {
    NEXUS_TRY(auto secret, ask_secret(prompt));
    if (secret.empty())
      return Error{ErrorCode::usage, "the secret is empty", "give it in a file or on stdin"};
    return secret;
  }
  const int fd = from_stdin ? STDIN_FILENO : open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return Error{ErrorCode::usage, "cannot read " + file + ": " + std::strerror(errno),
                 "name an existing file, or - for stdin"};
  const auto text = read_text(fd, false);
  if (!from_stdin) close(fd);
  if (!text && is_interrupted()) return broken_off();
  if (!text) return Error{ErrorCode::usage, "cannot read " + file, "name a file, or - for stdin"};
  if (text->size() > kMostBytes)
    return Error{ErrorCode::usage, file + " is too large for a secret", "name the right file"};
  NEXUS_TRY(auto secret, take_secret(*text, from_stdin ? "what came on stdin" : file));
  if (secret.empty())
    return Error{ErrorCode::usage, "the secret is empty", "give it in a file or on stdin"};
  return secret;
}

}  // namespace nexus::cli
