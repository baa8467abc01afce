#include "common/new_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string>

#include "common/descriptor.h"

namespace nexus {
namespace {

std::string directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool is_written(int file, std::string_view content) {
  return write_all(file, content) && fsync(file) == 0;
}

/// Of a file without a name nothing is left where this process dies before it has one. Nothing
/// where the file system, or the system, has no such files.
std::optional<bool> make_from_nameless(const std::string& directory, const std::string& path,
                                       std::string_view content) {
  const Descriptor file(open(directory.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600));
  if (file.get() < 0) return std::nullopt;
  if (!is_written(file.get(), content)) return false;
  const auto name = "/proc/self/fd/" + std::to_string(file.get());
  if (linkat(AT_FDCWD, name.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) == 0) return true;
  if (errno == ENOENT) return std::nullopt;  // there is no /proc
  return false;
}

/// Written beside, then linked into place.
bool make_from_beside(const std::string& path, std::string_view content) {
  auto beside = path + ".XXXXXX";
  const Descriptor file(mkostemp(beside.data(), O_CLOEXEC));
  if (file.get() < 0) return false;
  const bool made = is_written(file.get(), content) && link(beside.c_str(), path.c_str()) == 0;
  const int error = errno;
  unlink(beside.c_str());
  errno = error;
  return made;
}

}  // namespace

bool make_new_file(const std::string& path, std::string_view content) {
  const auto above = directory_of(path);
  auto made = make_from_nameless(above, path, content);
  if (!made) made = make_from_beside(path, content);
  if (!*made) return false;
  const Descriptor directory(open(above.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() >= 0 && fsync(directory.get()) == 0) return true;
  const int error = errno;
  unlink(path.c_str());
  errno = error;
  return false;
}

}  // namespace nexus
