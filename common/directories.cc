#include "common/directories.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace nexus {

Result<void> make_directory(const std::string& path, const std::string& mend) {
  struct stat about {};
  if (stat(path.c_str(), &about) == 0) return {};
  const auto above = path.substr(0, path.rfind('/') + 1);
  if (geteuid() == 0 && stat(above.c_str(), &about) == 0 && about.st_uid != 0)
    return Error{
        ErrorCode::failure,
        "root would make " + path + " in a directory of another user, who could not use it",
        "run it as that user or with root's own HOME (sudo -H), or " + mend};
  if (mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return Error{ErrorCode::failure, "cannot make " + path + ": " + std::strerror(errno), mend};
}

Result<void> make_directories(const std::string& path, const std::string& mend) {
  auto at = path.find('/', 1);
  for (; at != std::string::npos; at = path.find('/', at + 1))
    NEXUS_CHECK(make_directory(path.substr(0, at), mend));
  return make_directory(path, mend);
}

}  // namespace nexus
