#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace nexus::cli::doctor {

/// SCHEME://HOST:PORT of an HTTP or SOCKS proxy as curl(1) takes it, without the user and password
/// that may be in it; nothing for what is none.
std::optional<std::string> parse_proxy(std::string_view text);

/// Whether such a list (NO_PROXY) leaves 127.0.0.1 out.
bool exempts_loopback(std::string_view no_proxy);

}  // namespace nexus::cli::doctor
