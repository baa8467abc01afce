// The vault: its key and files, damage, and whether secrets stay out of swap.
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "cli/doctor/checks.h"
#include "cli/doctor/processes.h"
#include "common/paths.h"
#include "common/text.h"

namespace nexus::cli::doctor {
namespace {

constexpr rlim_t kLockedAtLeast = 1024 * 1024;  // what a daemon with few connections locks

std::optional<Finding> fault_of_file(const std::string& file) {
  struct stat about {};
  if (lstat(file.c_str(), &about) != 0) return std::nullopt;
  if (!S_ISREG(about.st_mode))
    return failure(file + " is no regular file, which nexusd refuses", "put the file itself there");
  if (about.st_uid != geteuid())
    return failure(file + " belongs to uid " + std::to_string(about.st_uid) + ", not to you",
                   "run: chown " + std::to_string(geteuid()) + " " + shell_quote(file));
  if ((about.st_mode & 077) != 0)
    return failure(file + " is open to other users, which nexusd refuses",
                   "run: chmod 600 " + shell_quote(file));
  return std::nullopt;
}

bool is_there(const std::string& file) {
  return access(file.c_str(), F_OK) == 0;
}

void check_files(Findings& found, const std::string& directory) {
  for (const char* name : {"vault.key", "nexus.db", "nexus.db-wal", "nexus.db-shm", "audit.db",
                           "audit.db-wal", "audit.db-shm"})
    if (auto fault = fault_of_file(directory + "/" + name)) found.push_back(*std::move(fault));
}

void check_locked(Findings& found, const Result<api::DaemonStatus>& daemon) {
  const auto mend =
      "raise the limit (ulimit -l, or LimitMEMLOCK= of the unit) to 8 MiB, then run: nexus daemon "
      "restart";
  if (daemon) {
    if (status_field(static_cast<pid_t>(daemon->pid), "VmLck") == "0 kB")
      found.push_back(
          warning("nexusd cannot lock its secrets in memory: they may be swapped out", mend));
    return;
  }
  rlimit limit{};
  if (geteuid() != 0 && getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur < kLockedAtLeast)
    found.push_back(
        warning("only " + std::to_string(limit.rlim_cur / 1024) +
                    " KiB may be locked in memory: secrets of a nexusd may be swapped out",
                mend));
}

}  // namespace

Findings check_vault(const Scene& scene) {
  const auto& daemon = scene.daemon.get();
  const auto& directory = daemon ? daemon->data_dir : scene.config.data_dir;
  Findings found;
  if (daemon)
    for (const auto& damage : daemon->damage)
      found.push_back(failure("damaged: " + damage, "see nexusd(8), DAMAGE"));
  if (daemon && daemon->locked)
    found.push_back(warning("it is locked: no credential can be had", "run: nexus unlock"));
  if (!directory.empty()) check_files(found, directory);
  if (!daemon && found.empty())
    if (auto fault = fault_of_start(scene, StartFault::of_vault))
      found.push_back(*std::move(fault));
  check_locked(found, daemon);
  return or_ok(std::move(found),
               !daemon && !is_there(directory + "/nexus.db")
                   ? "there is none yet: nexusd makes one"
                   : "its files are closed to others" +
                         (daemon ? "; the key comes from: " + daemon->key_source : ""));
}

}  // namespace nexus::cli::doctor
