#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/config.h"
#include "common/descriptor.h"
#include "common/error.h"
#include "daemon/child_process.h"

namespace nexus {

/// How a child ended, or why there was none.
struct ChildOutcome {
  int error = 0;   ///< of the system; 0: it ran
  int status = 0;  ///< as waitpid(2) tells it
};

/// This process's end of another one, forked from it before there was a sandbox, a thread or a
/// secret: it runs programs that are to have a free hand. Whoever takes this process over gains no
/// more by it than that these run, and who holds a port: it runs what nexus.toml names, to the
/// letter, reads that by itself, and gives the variables that nexusd was started with, without
/// those that are secret. It ends with the last process that has this end.
class ChildHelper {
 public:
  /// What it takes longer than a program's patience, at most.
  static constexpr int kGraceMs = 2000;

  /// `directory`: what a relative name of nexus.toml is about. Error: failure.
  static Result<ChildHelper> fork_off(const Config& config, const std::string& directory);
  /// One that another nexusd in this process has left.
  explicit ChildHelper(Descriptor end) : end_(std::move(end)) {}

  /// Has it read nexus.toml again.
  void renew() const;
  /// What is returned can be read once the program has ended: a ChildOutcome. Nothing comes where
  /// it may not be run. Error: failure, where the helper is gone.
  Result<Descriptor> start(const ChildProgram& program, const ChildStreams& streams) const;
  /// As nexus::port_holder tells it, of whom a sandbox hides the processes.
  std::string port_holder(int port) const;
  /// As executable_of_process tells it, of processes that a sandbox hides.
  Descriptor executable(pid_t pid) const;
  /// Another descriptor for the same, for the nexusd that comes next.
  Descriptor copy() const;

 private:
  /// What is answered can be read from what is returned.
  Result<Descriptor> ask(std::string_view text, std::vector<int> descriptors) const;

  Descriptor end_;
};

}  // namespace nexus
