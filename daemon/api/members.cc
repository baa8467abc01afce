#include "daemon/api/members.h"

#include "daemon/access/access.h"
#include "daemon/http/sockets.h"

namespace nexus::api {

std::vector<http::ListenerOptions::Members> members_at(int socket,
                                                       const std::optional<gid_t>& of_access) {
  std::vector<http::ListenerOptions::Members> members;
  // First: who is in both uses, and no more.
  if (of_access) members.push_back({*of_access, access_of_members()});
  if (const auto group = http::group_of(socket); group && group != of_access)
    members.push_back({*group, nullptr});
  return members;
}

}  // namespace nexus::api
