#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace nexus::cli {

/// A command line of bash as far as the cursor, in words. Nothing in it is expanded, let alone run:
/// "$(x)" is these four letters.
struct BashLine {
  std::vector<std::string> words;  ///< before the one that is written; the program's name first
  std::string current;
  /// How much of `current` bash lets stand: it completes what follows the last of its breaks, or
  /// the quote that is open.
  std::size_t stands = 0;
  char quote = 0;  ///< the one that is open, ' or "; 0 for none
};

/// `breaks` are those of COMP_WORDBREAKS.
BashLine read_bash_line(std::string_view line, std::string_view breaks);

/// What bash has to put where it completes so that the word is `word`, whatever is in that.
std::string replacement(const BashLine& line, std::string_view word);

}  // namespace nexus::cli
