#include "common/directories.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace nexus {

namespace {

bool is_there(const std::string& path) {
  struct stat about {};
  return stat(path.c_str(), &about) == 0;
}

std::string above(const std::string& path) {
  return path.substr(0, path.rfind('/') + 1);
}

Result<void> refuse_others_directory(const std::string& path, const std::string& mend) {
  struct stat about {};
  if (geteuid() != 0 || stat(above(path).c_str(), &about) != 0 || about.st_uid == 0) return {};
  return Error{ErrorCode::failure,
               "root would make " + path + " in a directory of another user, who could not use it",
               "run it as that user or with root's own HOME (sudo -H), or " + mend};
}

Error not_made(const std::string& path, const std::string& mend) {
  return {ErrorCode::failure, "cannot make " + path + ": " + std::strerror(errno), mend};
}

/// It and those above it, from the top.
std::vector<std::string> each_directory(const std::string& path) {
  std::vector<std::string> all;
  for (auto at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1))
    all.push_back(path.substr(0, at));
  all.push_back(path);
  return all;
}

}  // namespace

Result<void> make_directory(const std::string& path, const std::string& mend) {
  if (is_there(path)) return {};
  NEXUS_CHECK(refuse_others_directory(path, mend));
  if (mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return not_made(path, mend);
}

Result<void> make_directories(const std::string& path, const std::string& mend) {
  for (const auto& each : each_directory(path)) NEXUS_CHECK(make_directory(each, mend));
  return {};
}

Result<void> check_directories_can_be_made(const std::string& path, const std::string& mend) {
  for (const auto& each : each_directory(path)) {
    if (is_there(each)) continue;
    NEXUS_CHECK(refuse_others_directory(each, mend));
    if (faccessat(AT_FDCWD, above(each).c_str(), W_OK | X_OK, AT_EACCESS) == 0) return {};
    return not_made(each, mend);
  }
  return {};
}

}  // namespace nexus
