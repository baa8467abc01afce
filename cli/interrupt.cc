#include "cli/interrupt.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace nexus::cli {
namespace {

volatile sig_atomic_t pressed = 0;

/// What the handler writes wakes whoever waits, also one that was just about to. It is never read.
int wakers[2] = {-1, -1};

void note_interrupt(int) {
  const int before = errno;
  pressed = 1;
  [[maybe_unused]] const auto written = write(wakers[1], "", 1);
  errno = before;
}

}  // namespace

CatchInterrupt::CatchInterrupt() {
  if (wakers[0] < 0 && pipe2(wakers, O_CLOEXEC | O_NONBLOCK) != 0) return;
  if (pressed) return;  // the next one ends the program
  struct sigaction action {};
  action.sa_handler = note_interrupt;
  action.sa_flags = static_cast<int>(SA_RESTART | SA_RESETHAND);
  sigaction(SIGINT, &action, &before_);
  // In the background of a script, whose Ctrl-C is not for this program.
  if (before_.sa_handler == SIG_IGN) sigaction(SIGINT, &before_, nullptr);
}

CatchInterrupt::~CatchInterrupt() {
  if (!pressed) sigaction(SIGINT, &before_, nullptr);
}

bool is_interrupted() {
  return pressed != 0;
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
