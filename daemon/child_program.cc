#include "daemon/child_program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <functional>
#include <optional>

#include "common/descriptor.h"
#include "common/paths.h"
#include "daemon/child_helper.h"
#include "daemon/child_process.h"

namespace nexus {
namespace {

constexpr std::size_t kMostSaid = 4096;
constexpr int kLookEveryMs = 50;

const ChildHelper* runs_children = nullptr;

struct PipeEnds {
  Descriptor from{-1};
  Descriptor to{-1};

  static Result<PipeEnds> make() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
      return Error{ErrorCode::failure, "no pipe could be made", "close what has many files open"};
    return PipeEnds{Descriptor(ends[0]), Descriptor(ends[1])};
  }
};

/// What is there now; false once there will be no more.
template <class Text>
bool take_said(int from, Text& into) {
  SecretText buffer(1024, '\0');
  const auto size = read(from, buffer.data(), buffer.size());
  if (size <= 0) return size < 0 && errno == EAGAIN;
  into.append(buffer.data(), std::min(static_cast<std::size_t>(size), kMostSaid - into.size()));
  return true;
}

template <class Text>
void take_rest(int from, Text& into) {
  std::size_t before = 0;
  do {
    before = into.size();
    take_said(from, into);
  } while (into.size() > before);
}

/// A child that runs, whoever has started it.
struct Running {
  std::function<std::optional<ChildOutcome>()> ended;  ///< does not wait
  std::function<ChildOutcome()> end_now;
};

Running of_this_process(pid_t child) {
  const auto ended = [child](int options) {
    ChildOutcome outcome;
    return waitpid(child, &outcome.status, options) == 0 ? std::nullopt : std::optional(outcome);
  };
  return {[ended] { return ended(WNOHANG); },
          [ended, child] {
            kill(child, SIGKILL);
            return ended(0).value_or(ChildOutcome{});
          }};
}

Running of_helper(int report) {
  fcntl(report, F_SETFL, O_NONBLOCK);
  const auto ended = [report]() -> std::optional<ChildOutcome> {
    ChildOutcome outcome;
    const auto size = read(report, &outcome, sizeof outcome);
    if (size == sizeof outcome) return outcome;
    // Nobody tells any more: it was refused, or whoever ran it is gone.
    if (size >= 0) return ChildOutcome{.error = EPERM};
    return std::nullopt;
  };
  // The helper ends it in time by itself.
  return {ended, [ended] { return ended().value_or(ChildOutcome{.error = ETIMEDOUT}); }};
}

/// Until the child's end, not that of what it has started itself.
ChildOutcome wait_for(const Running& child, int patience_ms, int printed, int said,
                      ChildEnd& into) {
  for (const int from : {printed, said}) fcntl(from, F_SETFL, O_NONBLOCK);
  bool prints_more = true;
  bool says_more = true;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience_ms);
  auto outcome = child.ended();
  for (; !outcome; outcome = child.ended()) {
    if (std::chrono::steady_clock::now() >= deadline) {
      outcome = child.end_now();
      break;
    }
    pollfd more[] = {{prints_more ? printed : -1, POLLIN, 0}, {says_more ? said : -1, POLLIN, 0}};
    if (poll(more, 2, kLookEveryMs) <= 0) continue;
    if (more[0].revents != 0) prints_more = take_said(printed, into.printed);
    if (more[1].revents != 0) says_more = take_said(said, into.said);
  }
  take_rest(printed, into.printed);
  take_rest(said, into.said);
  return *outcome;
}

Error not_run(const ChildProgram& program, int error) {
  return {ErrorCode::failure, program.command[0] + ": " + std::strerror(error),
          "check the program's path"};
}

Result<ChildEnd> run(const ChildProgram& program, const ChildHelper* helper) {
  NEXUS_TRY(auto input, PipeEnds::make());
  NEXUS_TRY(auto said, PipeEnds::make());
  NEXUS_TRY(auto printed, PipeEnds::make());
  const ChildStreams streams{input.from.get(), printed.to.get(), said.to.get()};
  pid_t child = 0;
  Descriptor report(-1);
  if (helper) {
    NEXUS_TRY(report, helper->start(program, streams));
  } else if (const int error = start_child(program, streams, child); error != 0) {
    return not_run(program, error);
  }
  input.from = Descriptor(-1);
  printed.to = Descriptor(-1);
  said.to = Descriptor(-1);
  write_all(input.to.get(), program.input);
  input.to = Descriptor(-1);
  ChildEnd end;
  const auto patience = program.patience_ms + (helper ? ChildHelper::kGraceMs : 0);
  const auto outcome = wait_for(helper ? of_helper(report.get()) : of_this_process(child), patience,
                                printed.from.get(), said.from.get(), end);
  if (outcome.error != 0) return not_run(program, outcome.error);
  end.status = outcome.status;
  return end;
}

}  // namespace

std::vector<std::string> environment_of_session() {
  std::vector<std::string> kept;
  for (const char* name : {"PATH", "HOME", "USER", "LANG", "TERM", "DISPLAY", "WAYLAND_DISPLAY",
                           "XAUTHORITY", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"})
    if (const auto value = environment(name); !value.empty())
      kept.push_back(std::string(name) + "=" + value);
  return kept;
}

Result<ChildEnd> run_child(const ChildProgram& program) {
  return run(program, runs_children);
}

Result<ChildEnd> run_confined_child(const ChildProgram& program) {
  return run(program, nullptr);
}

Result<Descriptor> start_companion(const ChildProgram& program) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return Error{ErrorCode::failure, "no socket could be made", "close what has many files open"};
  Descriptor ours(ends[0]);
  const Descriptor its(ends[1]);
  const ChildStreams streams{its.get(), its.get(), its.get()};
  if (runs_children) {
    NEXUS_TRY(const auto report, runs_children->start(program, streams));
    return ours;
  }
  pid_t child = 0;
  if (const int error = start_child(program, streams, child); error != 0)
    return not_run(program, error);
  waitpid(child, nullptr, 0);
  return ours;
}

void run_children_by(const ChildHelper& helper) {
  runs_children = &helper;
}

}  // namespace nexus
