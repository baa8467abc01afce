#pragma once

#include <string>

namespace nexus::cli {

/// Shows a page of section 1 by man(1), which takes the place of this process. Comes back where
/// that is of no use: standard output is no terminal, or man does not know the page.
void show_manual(const std::string& page);

}  // namespace nexus::cli
