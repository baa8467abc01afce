#include "cli/askpass.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "cli/child_environment.h"
#include "cli/piped_program.h"
#include "cli/secret_reader.h"
#include "cli/spawn_attributes.h"
#include "common/descriptor.h"

namespace nexus::cli {

Result<Secret> ask_by_program(const std::string& program, const std::string& question) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return Error{ErrorCode::failure, "no pipe could be made", "close what has many files open"};
  const Descriptor from(ends[0]);
  Descriptor to(ends[1]);
  auto program_word = program;
  auto question_word = question;
  char* words[] = {program_word.data(), question_word.data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, to.get(), STDOUT_FILENO);
  const SpawnAttributes attributes(0);
  auto variables = environment_for(ChildKind::other);
  pid_t child = 0;
  const int failed =
      posix_spawnp(&child, words[0], &actions, attributes.get(), words, variables.data());
  posix_spawn_file_actions_destroy(&actions);
  to = Descriptor(-1);
  if (failed != 0)
    return Error{
        ErrorCode::command_not_found,
        "the program that asks for it cannot be run: " + program + ": " + std::strerror(failed),
        "name one like ssh-askpass, by its path"};
  SecretText said;
  const bool read = read_all(from.get(), said);
  const int status = wait_for(child);
  if (!read || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return Error{ErrorCode::interrupted, program + " brought no answer", "nothing was changed"};
  return take_secret(said, "what " + program + " printed");
}

}  // namespace nexus::cli
