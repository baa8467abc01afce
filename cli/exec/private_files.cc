#include "cli/exec/private_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
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

}  // namespace

Result<std::string> PrivateFiles::path_of(const std::string& name) {
  if (!directory_) {
    const auto place = place_for_files();
    HeldDirectory::sweep(place);
    NEXUS_TRY(auto made, HeldDirectory::make(place));
    directory_.emplace(std::move(made));
  }
  return directory_->path() + "/" + name;
}

Result<void> PrivateFiles::add(const std::string& path, std::string_view content) {
  const Descriptor file(
      open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  const bool done =
      file.get() >= 0 && fchmod(file.get(), 0600) == 0 && write_all(file.get(), content);
  if (done) return {};
  return cannot_make(path, errno);
}

Result<void> PrivateFiles::remove() {
  if (!directory_) return {};
  const auto removed = directory_->remove();
  directory_.reset();
  return removed;
}

}  // namespace nexus::cli
