#include "cli/manual.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "cli/child_environment.h"
#include "cli/session.h"

namespace nexus::cli {
namespace {

using ManLine = std::array<char*, 5>;

ManLine man_line(const char* option, const std::string& page) {
  return {const_cast<char*>("man"), const_cast<char*>(option), const_cast<char*>("1"),
          const_cast<char*>(page.c_str()), nullptr};
}

/// man -w tells where the page is, and fails where it is nowhere.
bool has_page(const std::string& page) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  for (const int fd : {STDOUT_FILENO, STDERR_FILENO})
    posix_spawn_file_actions_addopen(&files, fd, "/dev/null", O_WRONLY, 0);
  auto words = man_line("-w", page);
  auto variables = environment_for(ChildKind::other);
  pid_t child = 0;
  const int failed =
      posix_spawnp(&child, words[0], &files, nullptr, words.data(), variables.data());
  posix_spawn_file_actions_destroy(&files);
  int status = 0;
  return failed == 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
         WEXITSTATUS(status) == 0;
}

}  // namespace

void show_manual(const std::string& page) {
  if (!isatty(STDOUT_FILENO) || !has_page(page)) return;
  auto words = man_line("-s", page);
  auto variables = environment_for(ChildKind::other);
  undo_hardening();
  execvpe(words[0], words.data(), variables.data());
}

}  // namespace nexus::cli
