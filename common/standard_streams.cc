#include "common/standard_streams.h"

#include <fcntl.h>
#include <poll.h>

#include <array>
#include <cstring>
#include <string>

namespace nexus {

void occupy_standard_streams() {
  std::array<pollfd, 3> streams{{{0, 0, 0}, {1, 0, 0}, {2, 0, 0}}};
  if (poll(streams.data(), streams.size(), 0) <= 0) return;
  // In their order: an opened file gets the lowest number that is free.
  for (const auto& stream : streams)
    if ((stream.revents & POLLNVAL) != 0) open("/dev/null", stream.fd == 0 ? O_WRONLY : O_RDONLY);
}

Error unwritten(int error_number) {
  return {ErrorCode::failure,
          std::string("standard output cannot be written: ") + std::strerror(error_number),
          "see where it leads to, and how much space there is"};
}

}  // namespace nexus
