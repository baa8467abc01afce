#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace nexus {

/// How one that is no proxy's address is to be mended.
inline constexpr const char* kProxyForm = "write it as http://HOST:PORT, https:// or socks5h://";

/// SCHEME://HOST:PORT of an HTTP or SOCKS proxy as curl(1) takes it, without the user and password
/// that may be in it; nothing for what is none.
std::optional<std::string> parse_proxy(std::string_view text);

}  // namespace nexus
