#include "cli/delivery.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "common/descriptor.h"
#include "common/standard_streams.h"

namespace nexus::cli {
namespace {

bool copy(int from, int to) {
  std::string piece(1 << 20, '\0');
  while (true) {
    const auto got = ::read(from, piece.data(), piece.size());
    if (got <= 0) return got == 0;
    if (!write_all(to, {piece.data(), static_cast<std::size_t>(got)})) return false;
  }
}

}  // namespace

Error exists_already(const std::string& file) {
  return {ErrorCode::usage, file + " exists already, and is not overwritten",
          "name another file, or remove that one"};
}

Result<void> move_made(const std::string& from, const std::string& to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return {};
  if (errno == EEXIST) return exists_already(to);
  // It may be on another file system.
  const Descriptor made(open(from.c_str(), O_RDONLY | O_CLOEXEC));
  const Descriptor file(open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  const bool is_whole = file.get() >= 0 && copy(made.get(), file.get()) && fsync(file.get()) == 0;
  const int why = errno;
  unlink(from.c_str());
  if (is_whole) return {};
  if (file.get() >= 0) unlink(to.c_str());
  return Error{ErrorCode::failure, "cannot make " + to + ": " + std::strerror(why),
               "name a file in a directory that you can write"};
}

Result<void> move_to_stdout(const std::string& from) {
  const Descriptor made(open(from.c_str(), O_RDONLY | O_CLOEXEC));
  const bool is_whole = made.get() >= 0 && copy(made.get(), STDOUT_FILENO);
  const int why = errno;
  unlink(from.c_str());
  if (is_whole) return {};
  return unwritten(why);
}

}  // namespace nexus::cli
