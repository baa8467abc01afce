#include "common/regular_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

namespace nexus {

Descriptor open_regular_file(const std::string& path, int flags) {
  Descriptor file(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | flags));
  struct stat about {};
  if (file.get() < 0 || fstat(file.get(), &about) != 0) return Descriptor(-1);
  if (S_ISREG(about.st_mode)) return file;
  errno = EINVAL;
  return Descriptor(-1);
}

std::string why_not_opened() {
  return errno == EINVAL ? "it is no regular file" : std::strerror(errno);
}

}  // namespace nexus
