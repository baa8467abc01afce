#pragma once

#include <signal.h>

namespace nexus::cli {

/// Handles a signal in this way while it lives. One that is ignored stays ignored: whoever started
/// this program (nohup, a script's background) wants it so.
class SignalHandler {
 public:
  SignalHandler(int signal, void (*handler)(int)) : signal_(signal) {
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART | SA_NODEFER;
    sigaction(signal_, nullptr, &before_);
    if (before_.sa_handler != SIG_IGN) sigaction(signal_, &action, nullptr);
  }
  ~SignalHandler() { sigaction(signal_, &before_, nullptr); }
  SignalHandler(const SignalHandler&) = delete;
  SignalHandler& operator=(const SignalHandler&) = delete;

 private:
  int signal_;
  struct sigaction before_ {};
};

}  // namespace nexus::cli
