#include "cli/browser.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "cli/child_environment.h"
#include "cli/program_path.h"
#include "cli/spawn_attributes.h"
#include "common/paths.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

using Opener = std::vector<std::string>;

bool may_be_opened(const std::string& url) {
  const bool loopback =
      url.starts_with("http://127.0.0.1:") || url.starts_with("http://127.0.0.1/") ||
      url.starts_with("http://localhost:") || url.starts_with("http://localhost/") ||
      url.starts_with("http://[::1]:") || url.starts_with("http://[::1]/");
  return (url.starts_with("https://") || loopback) && is_vschar(url) &&
         url.find(' ') == std::string::npos;
}

std::vector<Opener> openers(const std::string& url) {
  std::vector<Opener> all;
  for (const auto& command : split(environment("BROWSER"), ':')) {
    auto words = split(command, ' ');
    bool placed = false;
    for (auto& word : words)
      if (const auto at = word.find("%s"); at != std::string::npos) {
        word.replace(at, 2, url);
        placed = true;
      }
    if (!placed) words.push_back(url);
    all.push_back(std::move(words));
  }
#ifdef __APPLE__
  all.push_back({"open", url});
#else
  if (!environment("WSL_DISTRO_NAME").empty()) {
    all.push_back({"wslview", url});
    all.push_back({"rundll32.exe", "url.dll,FileProtocolHandler", url});
  }
  if (!environment("DISPLAY").empty() || !environment("WAYLAND_DISPLAY").empty())
    all.push_back({"xdg-open", url});
#endif
  return all;
}

/// Starts it; true unless it fails within a moment. A browser may well keep running.
bool start(const Opener& words) {
  std::vector<char*> arguments;
  for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (const int fd : {0, 1, 2})
    posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
  const SpawnAttributes attributes(POSIX_SPAWN_SETSID);
  pid_t child = 0;
  auto variables = environment_for(ChildKind::other);
  const int failed = posix_spawnp(&child, words[0].c_str(), &actions, attributes.get(),
                                  arguments.data(), variables.data());
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return false;
  for (int i = 0; i < 20; ++i) {
    int status = 0;
    if (waitpid(child, &status, WNOHANG) == child)
      return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    poll(nullptr, 0, 25);
  }
  return true;
}

}  // namespace

Result<void> open_browser(const std::string& url) {
  if (!may_be_opened(url))
    return Error{ErrorCode::failure,
                 "the provider's address is not one that a browser may be sent to",
                 "check the provider's authorization endpoint"};
  const auto all = openers(url);
  for (const auto& words : all)
    if (start(words)) return {};
  return Error{
      ErrorCode::failure,
      all.empty() ? "there is no display to open a browser on" : "no browser could be opened",
      "open the address yourself, or set BROWSER"};
}

std::string browser_program() {
  for (const auto& words : openers(""))
    if (can_be_run(words[0])) return words[0];
  return {};
}

}  // namespace nexus::cli
