#pragma once

#include <string>
#include <string_view>

namespace nexus {

/// What is wrong with a text from outside that is kept or told on, whichever way it came: "" when
/// nothing is, else "is longer than 4096 bytes" or "has control characters" (or is no UTF-8).
std::string fault_of_text(std::string_view text);

}  // namespace nexus
