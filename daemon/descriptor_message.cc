#include "daemon/descriptor_message.h"

#include <cstring>

namespace nexus {
namespace {

/// Room for so many descriptors, aligned as a header is.
std::vector<cmsghdr> control_for(std::size_t descriptors) {
  return std::vector<cmsghdr>(CMSG_SPACE(descriptors * sizeof(int)) / sizeof(cmsghdr) + 1);
}

}  // namespace

bool send_message(int socket, std::string_view text, const std::vector<int>& descriptors,
                  const MessageAddress& to) {
  iovec bytes{const_cast<char*>(text.data()), text.size()};
  msghdr message{};
  message.msg_name = const_cast<sockaddr*>(to.address);
  message.msg_namelen = to.size;
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  const auto size = descriptors.size() * sizeof(int);
  auto control = control_for(descriptors.size());
  if (!descriptors.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(size);
    auto* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(size);
    std::memcpy(CMSG_DATA(header), descriptors.data(), size);
  }
  return sendmsg(socket, &message, MSG_NOSIGNAL) >= 0;
}

std::optional<Message> receive_message(int socket, std::size_t most_text,
                                       std::size_t most_descriptors) {
  Message received{std::string(most_text, '\0'), {}};
  auto control = control_for(most_descriptors);
  iovec bytes{received.text.data(), most_text};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = CMSG_SPACE(most_descriptors * sizeof(int));
  const auto size = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  if (size <= 0) return std::nullopt;
  received.text.resize(static_cast<std::size_t>(size));
  received.is_whole = (message.msg_flags & MSG_TRUNC) == 0;
  const auto* header = CMSG_FIRSTHDR(&message);
  if (!header || header->cmsg_type != SCM_RIGHTS) return received;
  // They have come whether the text is whole or not.
  std::vector<int> numbers((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
  std::memcpy(numbers.data(), CMSG_DATA(header), numbers.size() * sizeof(int));
  for (const int number : numbers) received.descriptors.emplace_back(number);
  return received;
}

}  // namespace nexus
