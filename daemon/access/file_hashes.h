#pragma once

#include <sys/stat.h>

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>

#include "common/descriptor.h"

namespace nexus {

/// SHA-256 of files, each read once for as long as nothing about it changes. Thread-safe.
class FileHashes {
 public:
  /// Of a file that was opened: hexadecimal digits, nothing where it cannot be read. Takes as
  /// long as reading it does.
  std::optional<std::string> of(const Descriptor& file);

 private:
  static constexpr std::size_t kMost = 64;
  /// Device, inode, size, and when contents and status were changed: nobody can set the latter.
  using Version = std::tuple<dev_t, ino_t, off_t, std::int64_t, std::int64_t>;
  std::mutex mutex_;
  std::map<Version, std::string> known_;
};

}  // namespace nexus
