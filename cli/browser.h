#pragma once

#include <string>

#include "common/error.h"

namespace nexus::cli {

/// Opens a URL in the person's browser: $BROWSER (a list separated by ':', '%s' stands for the
/// URL), else xdg-open, WSL's or macOS's opener. Always by exec with an argument vector, never by a
/// shell; only https URLs and http ones on loopback. The child gets none of nexus's own variables.
/// Error: failure, when nothing could be started; the caller shows the URL.
Result<void> open_browser(const std::string& url);

/// The program that it would start first; "" where it would start none.
std::string browser_program();

}  // namespace nexus::cli
