#include "cli/exec/child.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "cli/session.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

sigset_t held_signals() {
  sigset_t held;
  sigemptyset(&held);
  for (const int signal :
       {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGTSTP, SIGCHLD})
    sigaddset(&held, signal);
  return held;
}

Error cannot_run(const std::string& program, int why) {
  const auto name = "'" + printable(program, 200) + "'";
  if (why == ENOENT)
    return {ErrorCode::command_not_found, "there is no program " + name,
            "check its name, the PATH and, for a script, its first line"};
  return {ErrorCode::command_not_executable, name + " cannot be run: " + std::strerror(why),
          why == E2BIG ? "give what is large in a file: --file VAR=CONN"
                       : "check that it is a program, and its permissions"};
}

/// The reason why not, as errno.
int run(const std::vector<std::string>& words, ChildVariables& variables) {
  std::vector<char*> arguments;
  for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const auto environment = variables.list();
  undo_hardening();
  execvpe(arguments[0], arguments.data(), environment.data());
  return errno;
}

struct Pipe {
  Descriptor read_end;
  Descriptor write_end;
};

/// What the system has no more of, by errno.
Error no_more(const std::string& what) {
  return {ErrorCode::failure, what + ": " + std::strerror(errno),
          "close other programs, or raise the limits of this user (ulimit)"};
}

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return no_more("no pipe could be made");
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

/// What a program that could not be run has said of it; nothing where it runs.
std::optional<int> reason_from(Pipe report) {
  const Descriptor ours(std::move(report.read_end));
  { const Descriptor closed(std::move(report.write_end)); }
  int why = 0;
  ssize_t got = 0;
  do {
    got = read(ours.get(), &why, sizeof why);
  } while (got < 0 && errno == EINTR);
  return got == sizeof why ? std::optional(why) : std::nullopt;
}

}  // namespace

Error become(const std::vector<std::string>& words, ChildVariables& variables) {
  const int why = run(words, variables);
  harden_process();  // the error is printed as every other one
  return cannot_run(words[0], why);
}

Result<HeldSignals> HeldSignals::hold() {
  const auto held = held_signals();
  HeldSignals signals{Descriptor(signalfd(-1, &held, SFD_CLOEXEC | SFD_NONBLOCK))};
  if (signals.descriptor() < 0) return no_more("signals cannot be read");
  sigprocmask(SIG_BLOCK, &held, &signals.mask_before_);
  // Where it was ignored nobody could wait for a program.
  struct sigaction usual {};
  usual.sa_handler = SIG_DFL;
  sigaction(SIGCHLD, &usual, &signals.child_before_);
  return signals;
}

void HeldSignals::release() const {
  sigaction(SIGCHLD, &child_before_, nullptr);
  sigprocmask(SIG_SETMASK, &mask_before_, nullptr);
}

Result<Child> Child::start(const std::vector<std::string>& words, ChildVariables& variables,
                           const HeldSignals& signals, const MaskedTexts* mask) {
  NEXUS_TRY(auto report, make_pipe());
  std::vector<std::pair<int, Pipe>> outputs;
  if (mask)
    for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
      NEXUS_TRY(auto output, make_pipe());
      outputs.emplace_back(fd, std::move(output));
    }
  const pid_t pid = fork();
  if (pid < 0) return no_more("no process could be made");
  if (pid == 0) {
    for (const auto& [fd, output] : outputs) dup2(output.write_end.get(), fd);
    signals.release();
    const int why = run(words, variables);
    [[maybe_unused]] const auto told = write(report.write_end.get(), &why, sizeof why);
    _exit(127);
  }
  if (const auto why = reason_from(std::move(report))) {
    waitpid(pid, nullptr, 0);
    return cannot_run(words[0], *why);
  }
  Child child(pid, signals);
  for (auto& [fd, output] : outputs)
    child.relays_.emplace_back(std::move(output.read_end), fd, *mask);
  return child;
}

int Child::wait() {
  while (!code_) step();
  return *code_;
}

Result<void> Child::drain() {
  const auto is_open = [](const Relay& relay) { return relay.is_open(); };
  while (std::any_of(relays_.begin(), relays_.end(), is_open)) {
    const int signal = step();
    if (signal == 0 || signal == SIGCHLD || signal == SIGTSTP) continue;
    for (auto& relay : relays_) relay.finish();
  }
  for (const auto& relay : relays_)
    if (relay.write_error() != 0)
      return Error{ErrorCode::failure,
                   std::string("the program's output cannot be written: ") +
                       std::strerror(relay.write_error()),
                   "see where it leads to, and how much space there is"};
  return {};
}

int Child::step() {
  std::vector<pollfd> waits{{signals_->descriptor(), POLLIN, 0}};
  for (const auto& relay : relays_) waits.push_back(relay.next());
  if (poll(waits.data(), waits.size(), -1) < 0) return 0;
  for (std::size_t i = 0; i < relays_.size(); ++i)
    if (waits[i + 1].revents != 0) relays_[i].step();
  if (waits[0].revents == 0) return 0;
  signalfd_siginfo came{};
  if (read(signals_->descriptor(), &came, sizeof came) != sizeof came) return 0;
  const auto signal = static_cast<int>(came.ssi_signo);
  if (code_) return signal;
  if (signal == SIGCHLD)
    look();
  else
    pass_on(signal, came.ssi_code, static_cast<pid_t>(came.ssi_pid));
  return signal;
}

void Child::pass_on(int signal, int code, pid_t sender) const {
  // The terminal's have reached it already, as has what it sends to all of its group. That the
  // terminal is gone is said to the session's leader alone.
  const bool for_leader = signal == SIGHUP && getsid(0) == getpid();
  if ((code == SI_KERNEL && !for_leader) || sender == pid_) return;
  kill(pid_, signal);
}

void Child::look() {
  int status = 0;
  while (waitpid(pid_, &status, WNOHANG | WUNTRACED) == pid_) {
    if (WIFEXITED(status)) code_ = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) code_ = 128 + WTERMSIG(status);
    if (code_) return;
    // SIGSTOP comes from a debugger or the like, which means that program alone.
    if (WIFSTOPPED(status) && WSTOPSIG(status) != SIGSTOP) stop_with_it();
  }
}

void Child::stop_with_it() const {
  // As the terminal would: where nobody could continue this program (an orphaned process group),
  // it is not stopped.
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTSTP);
  raise(SIGTSTP);
  sigprocmask(SIG_UNBLOCK, &stop, nullptr);
  sigprocmask(SIG_BLOCK, &stop, nullptr);
  kill(pid_, SIGCONT);  // whoever continues this program may have meant it alone
}

}  // namespace nexus::cli
