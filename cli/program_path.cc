#include "cli/program_path.h"

#include <unistd.h>

#include <array>

namespace nexus::cli {

std::string program_path(const std::string& name) {
  std::array<char, 4096> path{};
  const auto size = readlink("/proc/self/exe", path.data(), path.size() - 1);
  if (size <= 0) return {};
  const std::string own(path.data(), static_cast<std::size_t>(size));
  const auto directory = own.substr(0, own.rfind('/'));
  for (const char* place : {"/", "/../libexec/nexus/", "/../../bin/"})
    if (const auto program = directory + place + name; access(program.c_str(), X_OK) == 0)
      return program;
  return {};
}

}  // namespace nexus::cli
