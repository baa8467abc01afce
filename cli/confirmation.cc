#include "cli/confirmation.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <string>

#include "common/descriptor.h"
#include "common/text.h"

namespace nexus::cli {

Result<void> confirm_on_terminal(const Error& required) {
  const Descriptor terminal(open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  const auto question = "nexus: " + printable(required.question) + " [y/N] ";
  if (terminal.get() < 0 || !write_all(terminal.get(), question)) return required;
  tcflush(terminal.get(), TCIFLUSH);  // what was typed before is no answer
  std::array<char, 256> line{};
  const auto size = read(terminal.get(), line.data(), line.size());
  const auto answer =
      lower(trim(std::string_view(line.data(), size > 0 ? static_cast<std::size_t>(size) : 0)));
  if (answer == "y" || answer == "yes") return {};
  return Error{ErrorCode::confirmation_refused, "the use was not confirmed",
               "answer y where it is to go on"};
}

}  // namespace nexus::cli
