#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nexus::cli {

struct LaidOutLine {
  std::string lead;  ///< what stands before the text: words or blanks
  std::string text;
};

/// `lead` and the text behind it, as a terminal of so many columns shows them: the text goes on
/// below itself or, where that leaves no room for its words, below the lead. Lines break between
/// words, and never inside of a command ("run: nexus connect github"), which is there to be
/// copied. One line where there is no terminal.
std::vector<LaidOutLine> laid_out(const std::string& lead, std::string_view text,
                                  std::optional<std::size_t> columns);

}  // namespace nexus::cli
