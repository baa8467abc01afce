#pragma once

#include <string>

#include "common/descriptor.h"
#include "common/error.h"

namespace nexus::cli {

/// A directory for this user alone, which is held by a lock (flock(2)) as long as this process
/// lives. Who is killed cannot take its directory away; by the lock it is told apart from those in
/// use, also where processes do not see each other (containers), and whatever pids are given out
/// again.
class HeldDirectory {
 public:
  /// Below `place`. Error: failure.
  static Result<HeldDirectory> make(const std::string& place);
  /// With all that is in it. Error: failure, naming what is left.
  Result<void> remove() const;
  const std::string& path() const { return path_; }

  /// Removes those of this user below `place` that nobody holds any more. What cannot be removed
  /// stays for the next time.
  static void sweep(const std::string& place);

 private:
  HeldDirectory(std::string path, Descriptor lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;
  Descriptor lock_;
};

/// Of what should have been made there; `why` is errno.
Error cannot_make(const std::string& path, int why);

}  // namespace nexus::cli
