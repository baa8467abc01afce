#include "daemon/ephemeral.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "common/paths.h"
#include "common/text.h"
#include "daemon/process.h"

namespace nexus {
namespace {

/// Of linux/sched.h: forked, and has not executed a program since. ps(1) shows it among F.
constexpr std::int64_t kForkedOnly = 0x40;
/// sockaddr_un has 108 bytes for the path.
constexpr std::size_t kLongestBase = 70;

struct Process {
  pid_t parent = 0;
  bool forked_only = false;
};

/// proc(5), /proc/PID/stat: the name in parentheses may hold anything, what follows are numbers.
std::optional<Process> look_at(pid_t pid) {
  const auto path = "/proc/" + std::to_string(pid) + "/stat";
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  SecretText text;
  if (file.get() < 0 || !read_all(file.get(), text)) return std::nullopt;
  const auto name_end = text.rfind(')');
  if (name_end == SecretText::npos || name_end + 2 >= text.size()) return std::nullopt;
  const auto fields = split(std::string_view(text).substr(name_end + 2), ' ');
  constexpr std::size_t kParent = 1;
  constexpr std::size_t kFlags = 6;
  if (fields.size() <= kFlags) return std::nullopt;
  const auto parent = parse_number(fields[kParent]);
  const auto flags = parse_number(fields[kFlags]);
  if (!parent || !flags) return std::nullopt;
  return Process{static_cast<pid_t>(*parent), (*flags & kForkedOnly) != 0};
}

/// The shell behind its copies. Without /proc it is the one that started us.
pid_t program_of(pid_t pid) {
  for (auto process = look_at(pid); process && process->forked_only && process->parent > 1;
       process = look_at(pid))
    pid = process->parent;
  return pid;
}

std::string base_directory() {
  const auto given = environment("TMPDIR");
  for (const auto& base : {own_runtime_dir(), given})
    if (base.starts_with('/') && base.size() <= kLongestBase && access(base.c_str(), W_OK) == 0)
      return base;
  return "/tmp";
}

}  // namespace

Result<StartedBy> StartedBy::find() {
  const auto direct = getppid();
  const Error gone{ErrorCode::failure, "the process that started nexusd has ended already",
                   "start it from the script that needs it: eval \"$(nexusd --ephemeral)\""};
  const auto program = program_of(direct);
  Descriptor process(static_cast<int>(syscall(SYS_pidfd_open, program, 0)));
  if (process.get() < 0 && errno == ESRCH) return gone;
  if (process.get() < 0)
    return Error{
        ErrorCode::failure,
        std::string("the kernel does not let nexusd watch who started it: ") + std::strerror(errno),
        "use Linux 5.3 or later, or nexusd with a data directory"};
  if (getppid() != direct) return gone;  // its number may be another's by now
  return StartedBy(std::move(process));
}

Result<SocketDirectory> SocketDirectory::make() {
  auto path = base_directory() + "/nexusd-XXXXXX";
  if (!mkdtemp(path.data()))
    return Error{ErrorCode::failure,
                 "cannot make a directory for the socket, " + path + ": " + std::strerror(errno),
                 "name one that can be written: TMPDIR=/path"};
  return SocketDirectory(path);
}

void SocketDirectory::remove() {
  if (path_.empty()) return;
  unlink(socket().c_str());
  rmdir(path_.c_str());
  path_.clear();
}

Result<BundleVariables> BundleVariables::take() {
  BundleVariables taken;
  taken.bundle = take_variable("NEXUS_BUNDLE");
  if (auto key = take_variable("NEXUS_BUNDLE_KEY")) taken.private_key = *std::move(key);
  if (auto words = take_variable("NEXUS_BUNDLE_PASSPHRASE")) taken.passphrase = *std::move(words);
  if (taken.bundle && trim(taken.bundle->expose()).empty())
    return Error{ErrorCode::usage, "NEXUS_BUNDLE is empty",
                 "give the job the secret; many CI systems keep secrets from the builds of forks"};
  return taken;
}

std::string shell_code_for(const std::string& socket) {
  // Once it is gone, nobody is to start another one in its place, which would keep files.
  return "NEXUS_SOCKET=" + shell_quote(socket) +
         "; export NEXUS_SOCKET;\nNEXUS_NO_AUTOSTART=1; export NEXUS_NO_AUTOSTART;\n";
}

std::string shell_code_for(const Error& error) {
  // What is evaluated fails as it did: `set -e` sees no other way.
  return "(exit " + std::to_string(error.exit_code()) + ");\n";
}

}  // namespace nexus
