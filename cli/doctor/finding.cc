#include "cli/doctor/finding.h"

#include <array>

namespace nexus::cli::doctor {

const char* word(State state) {
  constexpr std::array words{"ok", "note", "warning", "failure"};
  return words[static_cast<std::size_t>(state)];
}

}  // namespace nexus::cli::doctor
