#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/descriptor.h"
#include "common/error.h"
#include "common/secret.h"

namespace nexus {

class ChildHelper;

/// A program that is run to its end: it inherits no descriptor, and no signal is blocked or
/// ignored.
struct ChildProgram {
  std::vector<std::string> command;      ///< the first word is looked for on the PATH
  std::vector<std::string> environment;  ///< "NAME=value"
  std::string directory;                 ///< that it starts in; "": this process's
  std::string_view input{};              ///< at most what a pipe holds (64 KiB)
  int patience_ms = 10'000;              ///< then it is killed
};

struct ChildEnd {
  int status = 0;        ///< as waitpid(2) tells it
  std::string said;      ///< what it wrote on stderr, 4 KiB of it at most
  SecretText printed{};  ///< and on stdout, likewise
};

/// What programs need to reach the person's session, and nothing of ours.
std::vector<std::string> environment_of_session();

/// Runs one that the settings name, and waits for it, on a thread that may. A sandbox that this
/// process is in does not hold for it: a helper runs it then, which knows by itself what may be run
/// (`ChildHelper`), takes of the environment only names, and has the values from when nexusd was
/// started. Error: failure where it cannot be run, and why.
Result<ChildEnd> run_child(const ChildProgram& program);

/// The same for one that is held to what this process is.
Result<ChildEnd> run_confined_child(const ChildProgram& program);

/// Starts one that goes on by itself: it leaves a process behind, for nobody to wait for, and ends.
/// That process has the other end of what is returned for its standard streams, a socket of
/// messages (SOCK_SEQPACKET), which ends with it. It is run by whom `run_child` has programs run.
/// Error: failure; where a helper runs it, the socket may also end at once.
Result<Descriptor> start_companion(const ChildProgram& program);

/// From now on it runs what `run_child` is given; it has to last. Before there is a thread.
void run_children_by(const ChildHelper& helper);

}  // namespace nexus
