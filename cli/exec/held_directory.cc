#include "cli/exec/held_directory.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace nexus::cli {
namespace {

/// Earlier versions held no lock, and had names without "files".
constexpr std::string_view kPrefix = "nexus-exec-files-";

/// Whether nobody else can have put it there, or have anything in it.
bool is_ours(int directory) {
  struct stat about {};
  return fstat(directory, &about) == 0 && S_ISDIR(about.st_mode) && about.st_uid == geteuid() &&
         (about.st_mode & 07777) == 0700;
}

bool is_at(const std::string& path, int directory) {
  struct stat there {};
  struct stat opened {};
  return lstat(path.c_str(), &there) == 0 && fstat(directory, &opened) == 0 &&
         there.st_dev == opened.st_dev && there.st_ino == opened.st_ino;
}

}  // namespace

Error cannot_make(const std::string& path, int why) {
  return {ErrorCode::failure, path + " cannot be made: " + std::strerror(why),
          "see how much space there is, or name another place with TMPDIR"};
}

Result<HeldDirectory> HeldDirectory::make(const std::string& place) {
  while (true) {
    auto path = place + "/" + std::string(kPrefix) + "XXXXXX";
    if (!mkdtemp(path.data())) return cannot_make(path, errno);
    // Who sweeps may come before the lock: then there is another directory to be had. Where a file
    // system has no locks, nobody sweeps either.
    const bool is_open_to_us = chmod(path.c_str(), 0700) == 0;  // whatever the umask says
    Descriptor lock(
        is_open_to_us ? open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1);
    if (lock.get() < 0) {
      if (errno == ENOENT) continue;
      return cannot_make(path, errno);
    }
    const bool is_taken = flock(lock.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (is_taken || !is_at(path, lock.get())) continue;
    return HeldDirectory(std::move(path), std::move(lock));
  }
}

Result<void> HeldDirectory::remove() const {
  std::error_code why;
  std::filesystem::remove_all(path_, why);
  if (!why) return {};
  return Error{ErrorCode::failure, path_ + " cannot be removed: " + why.message(),
               "it holds credentials; remove it yourself"};
}

void HeldDirectory::sweep(const std::string& place) {
  std::error_code unreadable;
  for (std::filesystem::directory_iterator entry(place, unreadable), end;
       !unreadable && entry != end; entry.increment(unreadable)) {
    const auto& path = entry->path();
    if (!path.filename().native().starts_with(kPrefix)) continue;
    const Descriptor directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (directory.get() < 0 || !is_ours(directory.get())) continue;
    if (flock(directory.get(), LOCK_EX | LOCK_NB) != 0) continue;
    std::error_code stays;
    std::filesystem::remove_all(path, stays);
  }
}

}  // namespace nexus::cli
