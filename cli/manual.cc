#include "cli/manual.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <utility>
#include <vector>

#include "cli/child_environment.h"
#include "cli/session.h"

namespace nexus::cli {
namespace {

/// Those of commands are told by the commands.
const ManualPage kTopics[] = {
    {"nexus", "1"},        {"nexusd", "8"},      {"nexus.toml", "5"}, {"nexus-providers", "5"},
    {"nexus-bundle", "5"}, {"nexus-vault", "5"}, {"nexus-api", "7"},  {"nexus-security", "7"}};

/// man's words, as execvp(3) takes them.
class ManLine {
 public:
  explicit ManLine(std::vector<std::string> words) : words_(std::move(words)) {
    for (auto& word : words_) pointers_.push_back(word.data());
    pointers_.push_back(nullptr);
  }
  ManLine(const ManLine&) = delete;
  ManLine& operator=(const ManLine&) = delete;
  char** words() { return pointers_.data(); }

 private:
  std::vector<std::string> words_;
  std::vector<char*> pointers_;
};

/// man -w tells where the page is, and fails where it is nowhere.
bool has_page(const ManualPage& page) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  for (const int fd : {STDOUT_FILENO, STDERR_FILENO})
    posix_spawn_file_actions_addopen(&files, fd, "/dev/null", O_WRONLY, 0);
  ManLine line({"man", "-w", page.section, page.name});
  auto variables = environment_for(ChildKind::other);
  pid_t child = 0;
  const int failed = posix_spawnp(&child, "man", &files, nullptr, line.words(), variables.data());
  posix_spawn_file_actions_destroy(&files);
  int status = 0;
  return failed == 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
         WEXITSTATUS(status) == 0;
}

}  // namespace

std::optional<ManualPage> page_of(const std::string& topic) {
  for (const auto& page : kTopics)
    if (topic == page.name || topic == page.name + "(" + page.section + ")") return page;
  return std::nullopt;
}

void show_manual(const ManualPage& page, bool paged) {
  if (!isatty(STDOUT_FILENO) || !has_page(page)) return;
  std::vector<std::string> words{"man", "-s", page.section, page.name};
  if (!paged) words.insert(words.begin() + 1, {"-P", "cat"});
  ManLine line(std::move(words));
  auto variables = environment_for(ChildKind::other);
  undo_hardening();
  execvpe("man", line.words(), variables.data());
}

}  // namespace nexus::cli
