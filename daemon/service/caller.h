#pragma once

#include <cstdint>
#include <string>

namespace nexus {

/// Who asks, as the kernel tells it (SO_PEERCRED). Nothing of it is the caller's own word.
struct Caller {
  enum class Via { control_socket, callback, daemon };
  Via via = Via::daemon;
  std::int64_t uid = -1;
  std::int64_t pid = -1;
};

}  // namespace nexus
