#include "cli/output/live_screen.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "cli/interrupt.h"
#include "cli/output/escapes.h"
#include "cli/output/terminal_size.h"
#include "common/descriptor.h"
#include "common/layout.h"

namespace nexus::cli {
namespace {

// Control sequences of xterm's: the alternate screen (1049), the cursor (25), what is erased.
constexpr std::string_view kEnter = "\033[?1049h\033[?25l\033[2J";
constexpr std::string_view kLeave = "\033[0m\033[?25h\033[?1049l";
constexpr std::string_view kHome = "\033[H";
constexpr std::string_view kClearRestOfLine = "\033[K";
constexpr std::string_view kClearBelow = "\033[J";

/// Of a terminal that does not say.
constexpr std::size_t kUsualRows = 24;

volatile sig_atomic_t is_entered = 0;

// From here to LiveScreen stands what handlers of signals call: see signal-safety(7).

void say(std::string_view sequence) {
  const int before = errno;
  [[maybe_unused]] const auto written = write(STDOUT_FILENO, sequence.data(), sequence.size());
  errno = before;
}

/// In the background the terminal is the shell's.
bool is_in_foreground() {
  const auto group = tcgetpgrp(STDOUT_FILENO);
  return group < 0 || group == getpgrp();
}

void enter() {
  is_entered = 1;
  say(kEnter);
}

void leave() {
  if (is_entered) say(kLeave);
  is_entered = 0;
}

/// Ctrl-Z and Ctrl-\ do what they always do, with the terminal as it was.
void step_aside(int signal) {
  leave();
  const SignalHandler usual(signal, SIG_DFL);
  raise(signal);
}

void come_back(int) {
  if (is_in_foreground() && !is_interrupted()) enter();
}

/// Being handled, it ends the wait for the next picture, which has the new size.
void look_up(int) {}

/// While it lives, no handler writes into what is being written.
class SignalsWait {
 public:
  SignalsWait() {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before_);
  }
  ~SignalsWait() { sigprocmask(SIG_SETMASK, &before_, nullptr); }
  SignalsWait(const SignalsWait&) = delete;
  SignalsWait& operator=(const SignalsWait&) = delete;

 private:
  sigset_t before_{};
};

/// The lines in place of whatever is there, as many as there is room for.
std::string drawn(std::string_view lines, TerminalSize size) {
  const auto rows = size.rows > 0 ? size.rows : kUsualRows;
  std::string out(kHome);
  std::size_t used = 0;
  while (!lines.empty()) {
    auto line = std::string(lines.substr(0, lines.find('\n')));
    auto rest = lines.substr(std::min(line.size() + 1, lines.size()));
    const auto needed = rows_of(line + "\n", size.columns);
    if (used + needed + (rest.empty() ? 0 : 1) > rows) {
      line = "… " + std::to_string(std::count(lines.begin(), lines.end(), '\n')) + " more lines";
      rest = {};
    }
    out += line;
    // Behind a full row the cursor is still in it.
    const auto width = columns_of(without_escapes(line));
    if (width == 0 || width % size.columns != 0) out += kClearRestOfLine;
    used += rows_of(line + "\n", size.columns);
    if (used < rows) out += "\r\n";
    lines = rest;
  }
  if (used < rows) out += kClearBelow;
  return out;
}

}  // namespace

LiveScreen::LiveScreen()
    : stop_(SIGTSTP, step_aside),
      quit_(SIGQUIT, step_aside),
      go_on_(SIGCONT, come_back),
      resize_(SIGWINCH, look_up) {
  do_at_interrupt(leave);
}

bool LiveScreen::show(std::string_view lines) {
  next_ += lines;
  return true;
}

bool LiveScreen::draw() {
  picture_ = std::exchange(next_, {});
  const SignalsWait undisturbed;
  if (!is_in_foreground() || is_interrupted()) return true;
  if (!is_entered) enter();
  const auto size = terminal_size(STDOUT_FILENO).value_or(TerminalSize{0, 80});
  const bool written = write_all(STDOUT_FILENO, drawn(picture_, size));
  if (!written) error_ = errno;
  return written;
}

int LiveScreen::end() {
  if (std::exchange(has_ended_, true)) return error_;
  leave();
  do_at_interrupt(nullptr);
  if (!write_all(STDOUT_FILENO, picture_)) error_ = errno;
  return error_;
}

}  // namespace nexus::cli
