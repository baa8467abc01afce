#pragma once

#include <optional>
#include <string>

namespace nexus::cli {

struct ManualPage {
  std::string name;     ///< "nexus-token"
  std::string section;  ///< "1"
};

/// The page that is no command's, but of a file, a format or the daemon, by its name: "nexus.toml"
/// or, as pages refer to it, "nexus.toml(5)". Nothing where there is none.
std::optional<ManualPage> page_of(const std::string& topic);

/// Shows a page by man(1) and, if it is `paged`, the pager that man knows. That takes the place of
/// this process. Comes back where that is of no use: standard output is no terminal, or man does
/// not know the page.
void show_manual(const ManualPage& page, bool paged);

}  // namespace nexus::cli
