#pragma once

#include <filesystem>
#include <string>

#include "common/directories.h"

namespace nexus {

/// A directory of this user's alone for as long as it is worked on; what a nexusd that was killed
/// has left in it goes when it is made.
class ScratchDirectory {
 public:
  explicit ScratchDirectory(std::string path) : path_(std::move(path)) {}
  ~ScratchDirectory() { remove(); }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  /// Error: failure.
  Result<void> make() {
    remove();
    return make_directory(path_, "free some disk space, and check the directory's permissions");
  }
  const std::string& path() const { return path_; }

 private:
  void remove() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string path_;
};

}  // namespace nexus
