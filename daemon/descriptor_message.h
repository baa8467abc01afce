#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/descriptor.h"

namespace nexus {

// Messages over a Unix socket, with descriptors beside their text (unix(7), SCM_RIGHTS).

/// Where a message goes on a socket that is not connected.
struct MessageAddress {
  const sockaddr* address = nullptr;
  socklen_t size = 0;
};

/// False where it cannot be sent.
bool send_message(int socket, std::string_view text, const std::vector<int>& descriptors,
                  const MessageAddress& to = {});

struct Message {
  std::string text;
  std::vector<Descriptor> descriptors;
  bool is_whole = true;  ///< there was not more text
};

/// The next one, with so much text and so many descriptors at the most; nothing where none comes
/// any more.
std::optional<Message> receive_message(int socket, std::size_t most_text,
                                       std::size_t most_descriptors);

}  // namespace nexus
