#pragma once

#include <signal.h>

#include <array>

namespace nexus::cli {

/// While one lives, Ctrl-C ends what waits instead of the program, so that a command can take back
/// what it has begun, and say what is left; so do SIGHUP (the terminal is closed) and SIGTERM. A
/// second one ends the program.
class CatchInterrupt {
 public:
  CatchInterrupt();
  ~CatchInterrupt();
  CatchInterrupt(const CatchInterrupt&) = delete;
  CatchInterrupt& operator=(const CatchInterrupt&) = delete;

 private:
  std::array<struct sigaction, 3> before_{};
};

/// Whether Ctrl-C was pressed, or the like. It stays so: who breaks a command off is asked nothing
/// more.
bool is_interrupted();

/// What the first of these signals does at once, wherever the program is; null for nothing. A
/// handler calls it: see signal-safety(7).
void do_at_interrupt(void (*act)());

/// Waits until `fd` (-1: none) has something to read, or for so long (-1: without end). False when
/// Ctrl-C was pressed, be it before.
bool wait_unless_interrupted(int fd, int milliseconds);

}  // namespace nexus::cli
