#include "cli/doctor/finding.h"

#include <array>

namespace nexus::cli::doctor {

const char* word(State state) {
  constexpr std::array words{"ok", "note", "warning", "failure"};
  return words[static_cast<std::size_t>(state)];
}

Findings or_ok(Findings faults, std::string message) {
  if (faults.empty()) faults.push_back(ok(std::move(message)));
  return faults;
}

}  // namespace nexus::cli::doctor
