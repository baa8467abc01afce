#include "cli/program_output.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "cli/piped_program.h"
#include "cli/spawn_attributes.h"
#include "common/descriptor.h"

namespace nexus::cli {
namespace {

using Clock = std::chrono::steady_clock;

/// To the end; false where that does not come in time.
bool read_until(int fd, std::string& into, Clock::time_point end) {
  std::array<char, 4096> buffer{};
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
    pollfd waited{fd, POLLIN, 0};
    const int ready = left <= 0 ? 0 : poll(&waited, 1, static_cast<int>(left));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    const auto got = read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return got == 0;
    into.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

/// To be read to its end; -1 where it cannot be.
Descriptor pipe_with(std::string_view text) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return Descriptor(-1);
  Descriptor from(ends[0]);
  const Descriptor to(ends[1]);
  const bool is_all = write_all(to.get(), text);
  return is_all && fcntl(from.get(), F_SETFL, 0) == 0 ? std::move(from) : Descriptor(-1);
}

}  // namespace

std::optional<ProgramOutput> program_output(std::vector<std::string> words,
                                            std::chrono::milliseconds patience, ChildKind kind,
                                            std::string_view input) {
  const auto end = Clock::now() + patience;
  const auto to_read = pipe_with(input);
  if (to_read.get() < 0) return std::nullopt;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return std::nullopt;
  const Descriptor from(ends[0]);
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, to_read.get(), 0);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
  pid_t child = 0;
  const SpawnAttributes attributes(POSIX_SPAWN_SETPGROUP);
  auto variables = environment_for(kind);
  const int failed = posix_spawnp(&child, arguments[0], &actions, attributes.get(),
                                  arguments.data(), variables.data());
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (failed != 0) return std::nullopt;
  std::string said;
  if (!read_until(from.get(), said, end)) kill(-child, SIGKILL);
  const int status = wait_for(child);
  if (!WIFEXITED(status)) return std::nullopt;
  return ProgramOutput{WEXITSTATUS(status), std::move(said)};
}

}  // namespace nexus::cli
