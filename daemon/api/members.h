#pragma once

#include <optional>
#include <vector>

#include "daemon/http/listeners.h"

namespace nexus::api {

/// Who beside nexusd's own user may call at a control socket: members of the group of [access], who
/// use connections and do nothing else, and those of the group that has the socket from the service
/// manager, where that is another one.
std::vector<http::ListenerOptions::Members> members_at(int socket,
                                                       const std::optional<gid_t>& of_access);

}  // namespace nexus::api
