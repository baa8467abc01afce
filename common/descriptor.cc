#include "common/descriptor.h"

#include <string.h>

#include <array>
#include <cerrno>

namespace nexus {

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

bool read_all(int fd, SecretText& into) {
  std::array<char, 16 * 1024> buffer{};
  ssize_t got = 0;
  while ((got = read(fd, buffer.data(), buffer.size())) != 0) {
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) break;
    into.append(buffer.data(), static_cast<std::size_t>(got));
  }
  explicit_bzero(buffer.data(), buffer.size());
  return got == 0;
}

}  // namespace nexus
