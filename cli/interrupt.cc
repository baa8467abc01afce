#include "cli/interrupt.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace nexus::cli {
namespace {

volatile sig_atomic_t pressed = 0;
void (*volatile at_once)() = nullptr;

/// What the handler writes wakes whoever waits, also one that was just about to. It is never read.
int wakers[2] = {-1, -1};

/// Ctrl-C, a terminal that is closed, and what ends programs from outside.
constexpr int kSignals[] = {SIGINT, SIGHUP, SIGTERM};

void note_interrupt(int) {
  const int before = errno;
  pressed = 1;
  if (const auto act = at_once) act();
  // The next one ends the program, whichever it is.
  for (const int each : kSignals) {
    struct sigaction now {};
    sigaction(each, nullptr, &now);
    if (now.sa_handler == note_interrupt) signal(each, SIG_DFL);
  }
  [[maybe_unused]] const auto written = write(wakers[1], "", 1);
  errno = before;
}

}  // namespace

CatchInterrupt::CatchInterrupt() {
  if (wakers[0] < 0 && pipe2(wakers, O_CLOEXEC | O_NONBLOCK) != 0) return;
  if (pressed) return;  // the next one ends the program
  struct sigaction action {};
  action.sa_handler = note_interrupt;
  action.sa_flags = SA_RESTART;
  for (std::size_t i = 0; i < before_.size(); ++i) {
    sigaction(kSignals[i], &action, &before_[i]);
    // In the background of a script, whose Ctrl-C is not for this program; or with nohup.
    if (before_[i].sa_handler == SIG_IGN) sigaction(kSignals[i], &before_[i], nullptr);
  }
}

CatchInterrupt::~CatchInterrupt() {
  for (std::size_t i = 0; i < before_.size() && !pressed; ++i)
    sigaction(kSignals[i], &before_[i], nullptr);
}

bool is_interrupted() {
  return pressed != 0;
}

void do_at_interrupt(void (*act)()) {
  at_once = act;
}

bool wait_unless_interrupted(int fd, int milliseconds) {
  pollfd waits[] = {{fd, POLLIN, 0}, {wakers[0], POLLIN, 0}};
  // Other signals, and being stopped and continued, are no reason to go on.
  while (poll(waits, 2, milliseconds) < 0 && errno == EINTR && milliseconds < 0 &&
         !is_interrupted()) {
  }
  return !is_interrupted();
}

}  // namespace nexus::cli
