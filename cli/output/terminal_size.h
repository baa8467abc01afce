#pragma once

#include <cstddef>
#include <optional>

namespace nexus::cli {

struct TerminalSize {
  std::size_t rows = 0;     ///< 0 where it does not say
  std::size_t columns = 0;  ///< 80 where it does not say
};

/// Nothing where `fd` is no terminal.
std::optional<TerminalSize> terminal_size(int fd);

}  // namespace nexus::cli
