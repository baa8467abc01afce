#include "common/text_fault.h"

#include "common/text.h"

namespace nexus {
namespace {

constexpr std::size_t kMostBytes = 4096;

}  // namespace

std::string fault_of_text(std::string_view text) {
  if (text.size() > kMostBytes) return "is longer than 4096 bytes";
  if (printable(text, text.size() + 1) != text) return "has control characters";
  return {};
}

}  // namespace nexus
