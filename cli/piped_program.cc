#include "cli/piped_program.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "cli/child_environment.h"
#include "cli/program_path.h"
#include "cli/spawn_attributes.h"

namespace nexus::cli {
namespace {

/// Both ends of a pipe, closed in the end.
struct Pipe {
  std::array<int, 2> ends{-1, -1};
  Pipe() {
    if (pipe2(ends.data(), O_CLOEXEC) != 0) ends = {-1, -1};
  }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close_end(std::size_t which) {
    if (ends[which] >= 0) close(ends[which]);
    ends[which] = -1;
  }
};

}  // namespace

Result<PipedProgram> start_piped(const std::string& name) {
  const auto program = program_path(name);
  const Error missing{ErrorCode::failure, name + " cannot be run",
                      "install it in libexec/nexus, next to the directory of nexus"};
  Pipe in;
  Pipe out;
  if (program.empty() || in.ends[0] < 0 || out.ends[0] < 0) return missing;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.ends[0], 0);
  posix_spawn_file_actions_adddup2(&actions, out.ends[1], 1);
  auto word = name;
  std::array<char*, 2> arguments{word.data(), nullptr};
  pid_t child = 0;
  const SpawnAttributes attributes(POSIX_SPAWN_SETPGROUP);
  auto variables = environment_for(ChildKind::other);
  const int failed = posix_spawn(&child, program.c_str(), &actions, attributes.get(),
                                 arguments.data(), variables.data());
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return missing;
  return PipedProgram{child, Descriptor(std::exchange(in.ends[1], -1)),
                      Descriptor(std::exchange(out.ends[0], -1))};
}

int wait_for(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace nexus::cli
