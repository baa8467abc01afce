#include "daemon/peer_process.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "common/text.h"
#include "daemon/sandbox.h"

namespace nexus {
namespace {

constexpr int kMostAbove = 16;

std::string proc(pid_t pid, const char* what) {
  return "/proc/" + std::to_string(pid) + "/" + what;
}

std::int64_t ticks_now() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  const auto ticks = static_cast<std::int64_t>(sysconf(_SC_CLK_TCK));
  return std::int64_t{now.tv_sec} * ticks + std::int64_t{now.tv_nsec} * ticks / 1'000'000'000;
}

/// What anybody may know of a process: /proc/PID/stat.
struct Stat {
  std::string name;
  pid_t parent = 0;
  std::int64_t session = 0;
  std::int64_t started_at = 0;
};

std::optional<Stat> stat_of(pid_t pid) {
  const Descriptor file(open(proc(pid, "stat").c_str(), O_RDONLY | O_CLOEXEC));
  SecretText text;
  if (file.get() < 0 || !read_all(file.get(), text)) return std::nullopt;
  const std::string_view line = text;
  const auto open = line.find('(');
  const auto close = line.rfind(')');  // a name may have any character
  if (open == std::string_view::npos || close == std::string_view::npos || close < open)
    return std::nullopt;
  const auto fields = split(line.substr(std::min(close + 2, line.size())), ' ');
  if (fields.size() < 20) return std::nullopt;  // state is the third of all, and the first here
  const auto number = [&](std::size_t at) { return std::strtoll(fields[at].c_str(), nullptr, 10); };
  return Stat{std::string(line.substr(open + 1, close - open - 1)), static_cast<pid_t>(number(1)),
              number(3), number(19)};
}

struct Identity {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const Identity&) const = default;
};

std::optional<Identity> identity_of(const std::string& path) {
  struct stat about {};
  if (stat(path.c_str(), &about) != 0) return std::nullopt;
  return Identity{about.st_dev, about.st_ino};
}

/// The programs that speak to nexusd for others, beside nexusd or where they are installed from
/// there.
bool is_file_of_nexus(const Identity& file) {
  std::array<char, 4096> path{};
  const auto size = readlink("/proc/self/exe", path.data(), path.size());
  std::string directory(path.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  directory.resize(std::min(directory.rfind('/'), directory.size()));
  for (const char* name : {"/nexus", "/nexus-cli", "/../libexec/nexus/nexus-cli"})
    if (identity_of(directory + name) == file) return true;
  return false;
}

/// nexus keeps its file from programs of its user, nexusd among them, so that its name has to do.
/// Whoever takes that name is told by who started it, as a nexus would be.
bool is_name_of_nexus(std::string_view name) {
  for (const std::string_view known :
       {"nexus", "nexus-cli", "git-credential-nexus", "docker-credential-nexus",
        "bazel-credential-nexus", "cargo-credential-nexus", "terraform-credentials-nexus",
        "keyring"})
    if (name == known.substr(0, 15)) return true;  // the kernel keeps no more
  return false;
}

/// A shell that was started for one command, as git starts its helper, is whoever started it.
bool is_shell_for_command(pid_t pid, const Identity& file) {
  if (identity_of("/bin/sh") != file) return false;
  const Descriptor words(open(proc(pid, "cmdline").c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 256> begin{};
  const auto size = words.get() < 0 ? 0 : read(words.get(), begin.data(), begin.size());
  const std::string_view text(begin.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  const auto end = text.find('\0');
  return end != std::string_view::npos &&
         text.substr(end + 1).starts_with(std::string_view("-c\0", 3));
}

std::string path_of(const Descriptor& file) {
  std::array<char, 4096> path{};
  const auto link = "/proc/self/fd/" + std::to_string(file.get());
  const auto size = readlink(link.c_str(), path.data(), path.size());
  return std::string(path.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
}

Error untold(pid_t pid, const std::string& why) {
  return {ErrorCode::use_refused,
          "which program asks cannot be told: process " + std::to_string(pid) + " " + why,
          "only programs of nexusd's own user can be told"};
}

}  // namespace

PeerProcess::PeerProcess(pid_t pid, std::vector<gid_t> groups)
    : pid_(pid), groups_(std::move(groups)), accepted_at_(ticks_now()) {}

bool PeerProcess::is_in(gid_t group) const {
  return std::find(groups_.begin(), groups_.end(), group) != groups_.end();
}

Result<CallingProgram> PeerProcess::program() {
  auto pid = pid_;
  auto before = accepted_at_;
  std::int64_t session = 0;
  for (int i = 0; i < kMostAbove && pid > 0; ++i) {
    // The file first: if the process that is there afterwards is old enough, it was there then.
    auto file = executable_of(pid);
    const auto about = stat_of(pid);
    if (!about || about->started_at > before) return untold(pid, "has ended, or is hidden");
    if (i == 0) session = about->session;
    struct stat identity {};
    const bool is_told = file.get() >= 0 && fstat(file.get(), &identity) == 0;
    const Identity told{identity.st_dev, identity.st_ino};
    const bool is_nexus = is_told ? is_file_of_nexus(told) : is_name_of_nexus(about->name);
    const bool leads_on = is_nexus || (i > 0 && is_told && is_shell_for_command(pid, told));
    if (is_told && !leads_on) {
      CallingProgram found{path_of(file), std::move(file), pid, session};
      const std::lock_guard lock(mutex_);
      known_ = found.path;
      return found;
    }
    if (!leads_on)
      return untold(pid, "(" + printable(about->name, 20) + ") keeps its file to itself");
    before = about->started_at;
    pid = about->parent;
  }
  return untold(pid_, "was started by nothing that can be looked at");
}

std::string PeerProcess::known_program() const {
  const std::lock_guard lock(mutex_);
  return known_;
}

}  // namespace nexus
