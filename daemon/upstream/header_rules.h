#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/net/request_head.h"

namespace nexus {

using HeaderLines = std::vector<std::pair<std::string, std::string>>;

/// What of a caller's headers goes on to the server: not those of its connection to us (RFC 9110
/// 7.6.1) and of the framing, no credentials of its own, no cookies, nothing that is meant for us.
Headers headers_for_server(const HeaderLines& from_caller);

/// Replaces a credential by ***, as it is or percent-encoded.
void mask_in(std::string& text, std::string_view credential);

/// What of a server's headers goes back to the caller: not those of its connection to us and of
/// the framing, no cookies; a credential that it tells back is masked, wherever it stands. What is
/// passed on must not be kept by anybody in between.
HeaderLines headers_for_caller(const HeaderLines& from_server,
                               const std::vector<std::string_view>& credentials);

}  // namespace nexus
