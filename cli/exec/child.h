#pragma once

#include <signal.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/exec/child_variables.h"
#include "cli/exec/mask.h"
#include "cli/exec/relay.h"
#include "common/descriptor.h"
#include "common/error.h"

namespace nexus::cli {

/// Goes on as another program, looked for on the PATH. Returns only the reason why not. Errors:
/// command_not_found, command_not_executable.
Error become(const std::vector<std::string>& words, ChildVariables& variables);

/// From one on, signals that would end or stop this program wait to be passed on to the one that it
/// starts: what has to be cleaned up is, however that ends.
class HeldSignals {
 public:
  /// Error: failure.
  static Result<HeldSignals> hold();

  /// Where they are read from (signalfd(2)).
  int descriptor() const { return descriptor_.get(); }
  /// As they were found, for the program.
  void release() const;

 private:
  explicit HeldSignals(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}
  sigset_t mask_before_{};
  struct sigaction child_before_ {};
  Descriptor descriptor_;
};

/// A program that was started, of the same process group and terminal as this one.
class Child {
 public:
  /// With `mask`, its output streams go through this program. Errors: those of `become`; failure.
  static Result<Child> start(const std::vector<std::string>& words, ChildVariables& variables,
                             const HeldSignals& signals, const MaskedTexts* mask);

  /// Until it has ended, passing on signals and output, and stopping when it is stopped. Its exit
  /// code, or 128 and the number of the signal that has ended it.
  int wait();
  /// The rest of its output, as long as programs that it has left behind may write into it; a
  /// signal ends that. Error: failure, where it could not be written.
  Result<void> drain();

 private:
  Child(pid_t pid, const HeldSignals& signals) : pid_(pid), signals_(&signals) {}
  /// Waits for signals and output. The signal that came, 0 for none.
  int step();
  void pass_on(int signal, int code, pid_t sender) const;
  /// Whether it has ended or was stopped.
  void look();
  void stop_with_it() const;
  pid_t pid_;
  const HeldSignals* signals_;
  std::vector<Relay> relays_{};
  std::optional<int> code_{};
};

}  // namespace nexus::cli
