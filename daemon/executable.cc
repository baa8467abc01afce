#include "daemon/executable.h"

#include <fcntl.h>

#include <string>

namespace nexus {

Descriptor executable_of_process(pid_t pid) {
  const auto path = "/proc/" + std::to_string(pid) + "/exe";
  Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() >= 0) return file;
  return Descriptor(open(path.c_str(), O_PATH | O_CLOEXEC));
}

}  // namespace nexus
