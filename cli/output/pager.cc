#include "cli/output/pager.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "cli/child_environment.h"
#include "cli/output/escapes.h"
#include "cli/output/terminal_size.h"
#include "cli/piped_program.h"
#include "cli/program_path.h"
#include "cli/signal_handler.h"
#include "cli/spawn_attributes.h"
#include "common/descriptor.h"
#include "common/paths.h"

namespace nexus::cli {
namespace {

/// A pipe holds no more (pipe(7)): of what is longer, somebody has read.
constexpr std::size_t kPipeCapacity = 64 * 1024;

/// What the person wants to page with, "" for nothing.
std::string wanted_pager() {
  for (const char* name : {"NEXUS_PAGER", "PAGER"})
    if (const char* value = std::getenv(name))
      return value == std::string_view("cat") ? std::string() : value;
  return can_be_run("less") ? "less" : "";
}

/// A pager while it runs, in this program's process group: the terminal's keys are for both.
class RunningPager {
 public:
  /// Null where there is no pipe to it, or no shell to run it.
  static std::unique_ptr<RunningPager> start(const std::string& command) {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) return nullptr;
    const Descriptor from(ends[0]);
    Descriptor to(ends[1]);
    std::array<std::string, 3> arguments{"sh", "-c", command};
    std::array<char*, 4> words{arguments[0].data(), arguments[1].data(), arguments[2].data()};
    // Colours get through, what was seen stays on the screen, as git has it, and what is printed
    // is UTF-8, as without a pager.
    std::array<std::string, 3> defaults{"LESS=FRX", "LV=-c", "LESSCHARSET=utf-8"};
    auto variables = environment_for(ChildKind::other);
    auto* setting = defaults.data();
    for (const char* name : {"LESS", "LV", "LESSCHARSET"}) {
      if (!std::getenv(name)) variables.insert(variables.begin(), setting->data());
      ++setting;
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, from.get(), STDIN_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    const SpawnAttributes attributes(0);
    pid_t child = 0;
    const int failed =
        posix_spawn(&child, "/bin/sh", &actions, attributes.get(), words.data(), variables.data());
    posix_spawn_file_actions_destroy(&actions);
    return failed == 0 ? std::make_unique<RunningPager>(child, std::move(to)) : nullptr;
  }
  RunningPager(pid_t child, Descriptor to) : child_(child), to_(std::move(to)) {}

  bool write(std::string_view text) const { return write_all(to_->get(), text); }

  /// Waits until the person has seen enough. False where the shell had nothing to run.
  bool end() {
    to_.reset();
    const int status = wait_for(child_);
    return !WIFEXITED(status) || (WEXITSTATUS(status) != 126 && WEXITSTATUS(status) != 127);
  }

 private:
  pid_t child_;
  std::optional<Descriptor> to_;
  // Ctrl-C is for the pager, which stays: without nexus it would share the keys with the shell.
  SignalHandler ctrl_c_{SIGINT, SIG_IGN};
  SignalHandler ctrl_backslash_{SIGQUIT, SIG_IGN};
};

class Pager final : public Viewer {
 public:
  Pager(std::string command, TerminalSize terminal)
      : command_(std::move(command)), terminal_(terminal) {}
  ~Pager() override { end(); }

  bool show(std::string_view lines) override {
    if (state_ == State::paging) return pass_on(lines);
    if (state_ == State::left) return errno = EPIPE, false;
    held_ += lines;
    if (state_ == State::plain) return print_held();
    rows_ += rows_of(lines, terminal_.columns);
    // The last row is the prompt's.
    return rows_ < terminal_.rows || start();
  }

  /// Nor do they who left it want to see anything more.
  bool has_terminal() const override { return state_ == State::paging || state_ == State::left; }

  int end() override {
    if (state_ == State::paging) wait();
    print_held();
    return error_;
  }

 private:
  enum class State { holding, paging, left, plain };

  bool start() {
    pager_ = RunningPager::start(command_);
    state_ = pager_ ? State::paging : State::plain;
    return pager_ ? pass_on(std::exchange(held_, {})) : print_held();
  }

  /// What it may not have read stays held.
  bool pass_on(std::string_view lines) {
    if (passed_ <= kPipeCapacity) held_ += lines;
    const auto passed = without_links(lines);  // not every pager knows links
    passed_ += passed.size();
    if (!pager_->write(passed)) {
      wait();
      return show({});
    }
    if (passed_ > kPipeCapacity) held_.clear();
    return true;
  }

  void wait() {
    state_ = pager_->end() ? State::left : State::plain;
    pager_.reset();
    if (state_ == State::left) held_.clear();
  }

  bool print_held() {
    const auto held = std::exchange(held_, {});
    const bool printed = write_all(STDOUT_FILENO, held);
    if (!printed) error_ = errno;
    return printed;
  }

  std::string command_;
  TerminalSize terminal_;
  State state_ = State::holding;
  std::size_t rows_ = 0;
  std::string held_;  ///< what the person may not have seen yet
  std::size_t passed_ = 0;
  std::unique_ptr<RunningPager> pager_;
  int error_ = 0;
};

}  // namespace

void page(Output& output) {
  const auto terminal = terminal_size(STDOUT_FILENO);
  const bool is_drawn_on = terminal && terminal->rows > 0 && environment("TERM") != "dumb";
  if (!is_drawn_on || output.json || !output.pager_allowed) return;
  if (auto command = wanted_pager(); !command.empty())
    output.show_by(std::make_unique<Pager>(std::move(command), *terminal));
}

}  // namespace nexus::cli
