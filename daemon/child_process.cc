#include "daemon/child_process.h"

#include <signal.h>
#include <spawn.h>

namespace nexus {
namespace {

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> all;
  for (auto& word : words) all.push_back(word.data());
  all.push_back(nullptr);
  return all;
}

}  // namespace

int start_child(const ChildProgram& program, const ChildStreams& streams, pid_t& child) {
  auto command = program.command;
  auto variables = program.environment;
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, streams.input, 0);
  posix_spawn_file_actions_adddup2(&files, streams.output, 1);
  posix_spawn_file_actions_adddup2(&files, streams.said, 2);
  if (!program.directory.empty())
    posix_spawn_file_actions_addchdir_np(&files, program.directory.c_str());
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  sigset_t all;
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  const int error = posix_spawnp(&child, command[0].c_str(), &files, &attributes,
                                 pointers(command).data(), pointers(variables).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  return error;
}

}  // namespace nexus
