#pragma once

#include <string>
#include <vector>

#include "common/error.h"

namespace nexus {

/// What may be done with a place and all below it.
enum class FileRight {
  read,
  run,     ///< and read
  keep,    ///< files and directories are read, written, made and removed
  write,   ///< what is there already, devices say
  unlink,  ///< files in it are removed
  rmdir,   ///< directories in it are removed
};

struct AllowedPlace {
  std::string path;  ///< of a directory or a file; what is not there is left out
  FileRight right;
};

/// The version of Landlock that the kernel has, 0 for none.
int landlock_version();

/// From now on this thread, those that it makes and its children open no file and no directory
/// but these, and send no signal to other programs, nor can they trace them (Landlock). As far as
/// the kernel's version goes; it cannot be taken back. Error: failure where the kernel refuses.
Result<void> confine_to(const std::vector<AllowedPlace>& places);

}  // namespace nexus
