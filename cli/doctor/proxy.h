#pragma once

#include <string_view>

namespace nexus::cli::doctor {

/// Whether such a list (NO_PROXY) leaves 127.0.0.1 out.
bool exempts_loopback(std::string_view no_proxy);

}  // namespace nexus::cli::doctor
