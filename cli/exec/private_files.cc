#include "cli/exec/private_files.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "common/descriptor.h"
#include "common/paths.h"

namespace nexus::cli {
namespace {

std::string place_for_files() {
  if (auto own = own_runtime_dir(); !own.empty()) return own;
  auto named = environment("TMPDIR");
  return named.starts_with('/') ? named : "/tmp";
}

Error cannot_make(const std::string& path, int why) {
  return {ErrorCode::failure, path + " cannot be made: " + std::strerror(why),
          "see how much space there is, or name another place with TMPDIR"};
}

}  // namespace

Result<void> PrivateFiles::make_directory() {
  if (!directory_.empty()) return {};
  auto path = place_for_files() + "/nexus-exec-XXXXXX";
  if (!mkdtemp(path.data())) return cannot_make(path, errno);
  directory_ = std::move(path);
  if (chmod(directory_.c_str(), 0700) != 0) return cannot_make(directory_, errno);  // the umask
  return {};
}

Result<std::string> PrivateFiles::path_of(const std::string& name) {
  NEXUS_CHECK(make_directory());
  return directory_ + "/" + name;
}

Result<void> PrivateFiles::add(const std::string& path, std::string_view content) {
  const Descriptor file(
      open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  const bool done =
      file.get() >= 0 && fchmod(file.get(), 0600) == 0 && write_all(file.get(), content);
  if (!done) return cannot_make(path, errno);
  return {};
}

Result<void> PrivateFiles::remove() {
  if (directory_.empty()) return {};
  const auto path = std::exchange(directory_, {});
  std::error_code why;
  std::filesystem::remove_all(path, why);
  if (!why) return {};
  return Error{ErrorCode::failure, path + " cannot be removed: " + why.message(),
               "it holds credentials; remove it yourself"};
}

}  // namespace nexus::cli
