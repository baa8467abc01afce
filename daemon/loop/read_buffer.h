#pragma once

#include <array>
#include <cstddef>
#include <span>

namespace nexus {

/// What is read at once goes through here, one for all sockets of a loop: an idle connection owns
/// none. Good until the next socket is read.
inline std::span<char> read_buffer() {
  static thread_local std::array<char, 64 * std::size_t{1024}> buffer;
  return buffer;
}

}  // namespace nexus
