// Where Nexus keeps its files: that the places are there, yours, and closed to others.
#include "cli/doctor/directories.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "cli/doctor/checks.h"
#include "common/paths.h"
#include "common/text.h"

namespace nexus::cli::doctor {
namespace {

constexpr std::uint64_t kMiB = 1024 * 1024;
constexpr mode_t kOpen = S_IRWXG | S_IRWXO;
constexpr mode_t kWritable = S_IWGRP | S_IWOTH;

/// A directory that has to be there, this user's, and without those rights of others.
std::optional<Finding> fault_of(const std::string& what, const std::string& path, mode_t forbidden,
                                State state) {
  struct stat about {};
  const auto name = what + " (" + path + ")";
  if (stat(path.c_str(), &about) != 0)
    return Finding{state, name + ": " + std::strerror(errno),
                   errno == ENOENT ? "make it: mkdir -p -m 700 " + shell_quote(path)
                                   : "make it accessible, or set another one"};
  if (!S_ISDIR(about.st_mode))
    return Finding{state, name + " is no directory", "set it to a directory of yours"};
  if (about.st_uid != geteuid())
    return Finding{state, name + " belongs to uid " + std::to_string(about.st_uid) + ", not to you",
                   "run nexus as that user or with your own environment (sudo -H), or set it to a "
                   "directory of yours"};
  if ((about.st_mode & forbidden) != 0)
    return Finding{
        state,
        name + (forbidden == kOpen ? " can be entered" : " can be written") + " by other users",
        "run: chmod " + std::string(forbidden == kOpen ? "700 " : "go-w ") + shell_quote(path)};
  return std::nullopt;
}

void add(Findings& found, std::optional<Finding> fault) {
  if (fault) found.push_back(*std::move(fault));
}

bool has_failure(const Findings& found) {
  return std::any_of(found.begin(), found.end(),
                     [](const Finding& each) { return each.state == State::failure; });
}

void check_environment(Findings& found) {
  const auto home = environment("HOME");
  if (!home.starts_with('/'))
    found.push_back(warning(fault_of_home(), "set HOME to your home directory"));
  else
    add(found, fault_of("HOME", home, kWritable, State::warning));
  const auto runtime = environment("XDG_RUNTIME_DIR");
  if (!runtime.empty()) add(found, fault_of("XDG_RUNTIME_DIR", runtime, kOpen, State::warning));
  for (const char* name : {"XDG_DATA_HOME", "XDG_CONFIG_HOME"}) {
    const auto value = environment(name);
    if (!value.empty() && !value.starts_with('/'))
      found.push_back(warning(std::string(name) + " is no absolute path, so it is ignored",
                              "set it to an absolute path, or unset it"));
    else if (!value.empty() && access(value.c_str(), F_OK) == 0)
      add(found, fault_of(name, value, kWritable, State::warning));
  }
}

void check_data_directory(Findings& found, const std::string& path) {
  if (access(path.c_str(), F_OK) != 0 && errno == ENOENT) return;  // nexusd makes it
  if (auto fault = fault_of("the data directory", path, kOpen, State::failure)) {
    found.push_back(*std::move(fault));
    return;
  }
  if (faccessat(AT_FDCWD, path.c_str(), W_OK | X_OK, AT_EACCESS) != 0)
    found.push_back(
        failure("the data directory (" + path + ") cannot be written: " + std::strerror(errno),
                errno == EROFS ? "mount its file system for writing"
                               : "run: chmod 700 " + shell_quote(path)));
  struct statfs about {};
  if (statfs(path.c_str(), &about) != 0) return;
  if (const auto kind = network_file_system(static_cast<std::uint32_t>(about.f_type));
      !kind.empty())
    found.push_back(warning("the data directory (" + path + ") is on " + kind +
                                ": SQLite's locks and syncs are not to be relied on there",
                            "set data_dir under [daemon] in nexus.toml to a local directory"));
  auto space = judge_free_space(
      path, static_cast<std::uint64_t>(about.f_bavail) * static_cast<std::uint64_t>(about.f_bsize));
  if (space.state != State::ok) found.push_back(std::move(space));
}

}  // namespace

std::string network_file_system(std::uint64_t type) {
  constexpr std::pair<std::uint64_t, const char*> kinds[] = {
      {0x6969, "NFS"},
      {0xff534d42, "CIFS"},
      {0xfe534d42, "SMB"},
      {0x517b, "SMB"},
      {0x01021997, "9p"},
      {0x5346414f, "AFS"},
      {0x00c36400, "Ceph"},
      {0x73757245, "Coda"},
      {0x0bd00bd0, "Lustre"},
      {0x47504653, "GPFS"},
      {0x65735546, "FUSE (perhaps over a network)"}};
  for (const auto& [number, name] : kinds)
    if (number == type) return name;
  return {};
}

Finding judge_free_space(const std::string& directory, std::uint64_t bytes) {
  const auto message =
      std::to_string(bytes / kMiB) + " MiB are free for the data directory (" + directory + ")";
  const std::string mend =
      "make room there, or set data_dir under [daemon] in nexus.toml to another place";
  if (bytes < 4 * kMiB) return failure("only " + message, mend);
  if (bytes < 100 * kMiB) return warning("only " + message, mend);
  return ok(message);
}

Findings check_directories(const Scene& scene) {
  Findings found;
  check_environment(found);
  const auto& daemon = scene.daemon.get();
  const bool in_memory = daemon && daemon->data_dir.empty();
  const auto& path = daemon ? daemon->data_dir : scene.config.data_dir;
  if (!in_memory && !path.empty()) check_data_directory(found, path);
  if (!daemon && !has_failure(found)) add(found, fault_of_start(scene, StartFault::of_directories));
  return or_ok(std::move(found),
               in_memory ? "they are yours; nexusd keeps all in memory"
                         : "they are yours and closed to others; the data directory is " + path);
}

}  // namespace nexus::cli::doctor
