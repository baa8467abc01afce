// nexus-jq: puts JSON through a jq expression, for `nexus api --jq`; frame.h has what the two say.
//
// A program of its own, because what libjq reads here comes from a server, and C that parses is
// best where there is nothing to take: no key and no connection, an environment without what is
// nexus' own, and no way to open a file. Where libjq gives up (an assertion, too deep, no memory)
// this program ends, and nexus says so.
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "cli/jq/frame.h"
#include "cli/jq/program.h"

namespace {

using namespace nexus;
using namespace nexus::cli::jq;

constexpr std::size_t kBuffered = 64 * 1024;
constexpr rlim_t kMemory = rlim_t{4} * 1024 * 1024 * 1024;

void close_in() {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0);
  // An expression may run for ever, and then sees no end of its input.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
#ifndef __SANITIZE_ADDRESS__  // which maps more than there is
  // A page that its sender has made for that becomes a hundred times as large in memory.
  const rlimit memory{kMemory, kMemory};
  setrlimit(RLIMIT_AS, &memory);
#endif
  // libjq would run what is in ~/.jq.
  unsetenv("HOME");
  // The time zone is a file as well, and read once.
  tzset();
  // Nothing can be opened from here on: no `import`, no `include`.
  setrlimit(RLIMIT_NOFILE, &none);
}

/// stderr is caught in a file in memory, since what a server has written must not reach a terminal
/// as it is.
class Caught {
 public:
  bool begin() {
    const int file = memfd_create("stderr", MFD_CLOEXEC);
    return file >= 0 && dup2(file, STDERR_FILENO) >= 0 && close(file) == 0 &&
           fcntl(STDERR_FILENO, F_SETFL, O_APPEND) == 0;
  }
  std::string take() {
    const auto size = lseek(STDERR_FILENO, 0, SEEK_END);
    if (size <= 0) return {};
    std::string text(static_cast<std::size_t>(size), '\0');
    const auto got = pread(STDERR_FILENO, text.data(), text.size(), 0);
    text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return ftruncate(STDERR_FILENO, 0) == 0 ? text : "";
  }
};

Error gone() {
  return {ErrorCode::failure, "nexus has gone", ""};
}

bool tell(const Result<void>& outcome) {
  if (outcome.ok()) return send_frame(STDOUT_FILENO, FrameKind::done, "");
  const auto& error = outcome.error();
  return send_frame(STDOUT_FILENO,
                    error.code == ErrorCode::usage ? FrameKind::usage : FrameKind::failure,
                    error.message + "\n" + error.hint);
}

/// False once nexus has gone.
bool put_through(Program& program, Caught& words, const std::string& page) {
  std::string lines;
  const auto send_words = [&] {
    const auto said = words.take();
    return said.empty() || send_frame(STDOUT_FILENO, FrameKind::words, said);
  };
  const auto send_lines = [&] {
    const bool is_sent = lines.empty() || send_frame(STDOUT_FILENO, FrameKind::results, lines);
    lines.clear();
    return is_sent;
  };
  const auto outcome = program.run(page, [&](std::string_view result) -> Result<void> {
    lines.append(result).push_back('\n');
    if (!send_words()) return gone();
    return lines.size() < kBuffered || send_lines() ? Result<void>() : gone();
  });
  return send_lines() && send_words() && tell(outcome);
}

}  // namespace

int main() {
  Caught words;
  if (!words.begin()) return 1;
  close_in();
  const auto first = receive_frame(STDIN_FILENO);
  if (!first || first->kind != FrameKind::expression) return 1;
  auto program = Program::compile(first->text);
  if (!program.ok()) {
    tell(program.error());
    return 1;
  }
  if (!tell({})) return 1;
  while (const auto page = receive_frame(STDIN_FILENO))
    if (!put_through(*program, words, page->text)) return 1;
  return 0;
}
