#include "cli/output/terminal_size.h"

#include <sys/ioctl.h>
#include <unistd.h>

namespace nexus::cli {

std::optional<TerminalSize> terminal_size(int fd) {
  if (!isatty(fd)) return std::nullopt;
  winsize size{};
  if (ioctl(fd, TIOCGWINSZ, &size) != 0) size = {};
  return TerminalSize{size.ws_row, size.ws_col > 0 ? size.ws_col : std::size_t{80}};
}

}  // namespace nexus::cli
