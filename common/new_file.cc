#include "common/new_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>

#include "common/descriptor.h"

namespace nexus {
namespace {

std::string directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

bool make_new_file(const std::string& path, std::string_view content) {
  // Written beside, synced, then linked into place.
  auto beside = path + ".XXXXXX";
  const Descriptor file(mkostemp(beside.data(), O_CLOEXEC));
  if (file.get() < 0) return false;
  const bool made = write_all(file.get(), content) && fsync(file.get()) == 0 &&
                    link(beside.c_str(), path.c_str()) == 0;
  const int error = errno;
  unlink(beside.c_str());
  const Descriptor directory(open(directory_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (made && directory.get() >= 0) fsync(directory.get());
  errno = error;
  return made;
}

}  // namespace nexus
