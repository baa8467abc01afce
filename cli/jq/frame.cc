#include "cli/jq/frame.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "common/descriptor.h"

namespace nexus::cli::jq {
namespace {

using Length = std::uint32_t;

bool read_exactly(int fd, char* into, std::size_t size) {
  while (size > 0) {
    const auto got = read(fd, into, size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    into += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

}  // namespace

bool send_frame(int fd, FrameKind kind, std::string_view text) {
  std::array<char, 1 + sizeof(Length)> head{static_cast<char>(kind)};
  const auto length = static_cast<Length>(text.size());
  std::memcpy(head.data() + 1, &length, sizeof(length));
  return write_all(fd, {head.data(), head.size()}) && write_all(fd, text);
}

std::optional<Frame> receive_frame(int fd) {
  std::array<char, 1 + sizeof(Length)> head{};
  if (!read_exactly(fd, head.data(), head.size())) return std::nullopt;
  Length length = 0;
  std::memcpy(&length, head.data() + 1, sizeof(length));
  Frame frame{static_cast<FrameKind>(head[0]), std::string(length, '\0')};
  if (!read_exactly(fd, frame.text.data(), length)) return std::nullopt;
  return frame;
}

}  // namespace nexus::cli::jq
