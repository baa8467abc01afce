#include "cli/delivery.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "common/descriptor.h"
#include "common/standard_streams.h"

namespace nexus::cli {
namespace {

Error not_made(const std::string& to, int why) {
  return {ErrorCode::failure, "cannot make " + to + ": " + std::strerror(why),
          why == ENOSPC || why == EDQUOT ? "free some disk space, or name a file elsewhere"
                                         : "name a file in a directory that you can write"};
}

bool copy(int from, int to) {
  std::string piece(1 << 20, '\0');
  while (true) {
    const auto got = ::read(from, piece.data(), piece.size());
    if (got <= 0) return got == 0;
    if (!write_all(to, {piece.data(), static_cast<std::size_t>(got)})) return false;
  }
}

/// Never over another.
bool rename_new(const std::string& from, const std::string& to) {
  return renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0;
}

/// Its name outlives a power cut. That is as much as can be done.
void sync_directory_of(const std::string& file) {
  const auto parent = std::filesystem::path(file).parent_path().string();
  const Descriptor directory(
      open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  fsync(directory.get());
}

/// Under another name until it is whole: what is cut short is not to look like one.
bool copy_new(const std::string& from, const std::string& to) {
  const auto part = to + ".part";
  const Descriptor made(open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  const Descriptor file(open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.get() < 0) return false;
  if (copy(made.get(), file.get()) && fsync(file.get()) == 0 && rename_new(part, to)) return true;
  const int why = errno;
  unlink(part.c_str());
  errno = why;
  return false;
}

}  // namespace

Error exists_already(const std::string& file) {
  return {ErrorCode::usage, file + " exists already, and is not overwritten",
          "name another file, or remove that one"};
}

Result<void> move_made(const std::string& from, const std::string& to) {
  // It may be on another file system.
  if (rename_new(from, to) || (errno != EEXIST && copy_new(from, to))) {
    unlink(from.c_str());
    sync_directory_of(to);
    return {};
  }
  const int why = errno;
  unlink(from.c_str());
  return why == EEXIST ? exists_already(to) : not_made(to, why);
}

Result<void> move_to_stdout(const std::string& from) {
  const Descriptor made(open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  const bool is_whole = made.get() >= 0 && copy(made.get(), STDOUT_FILENO);
  const int why = errno;
  unlink(from.c_str());
  if (is_whole) return {};
  return unwritten(why);
}

}  // namespace nexus::cli
