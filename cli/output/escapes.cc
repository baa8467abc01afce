#include "cli/output/escapes.h"

#include <algorithm>

#include "common/layout.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

constexpr std::string_view kColor = "\033[";
constexpr std::string_view kLink = "\033]8;;";
constexpr std::string_view kLinkEnd = "\033\\";
constexpr std::size_t kLongestLink = 2083;

/// The text without what stands between `begin` and `end`, and without those.
std::string without(std::string_view text, std::string_view begin, std::string_view end) {
  std::string out;
  while (true) {
    const auto from = text.find(begin);
    out += text.substr(0, from);
    const auto to = from == std::string_view::npos ? std::string_view::npos : text.find(end, from);
    if (to == std::string_view::npos) return out;
    text.remove_prefix(to + end.size());
  }
}

bool can_be_linked(std::string_view address) {
  return (address.starts_with("https://") || address.starts_with("http://")) &&
         is_vschar(address) && address.find(' ') == std::string_view::npos &&
         address.size() <= kLongestLink;
}

}  // namespace

std::string in_color(const std::string& text, const char* code) {
  return std::string(kColor) + code + "m" + text + "\033[0m";
}

std::string linked(const std::string& address) {
  if (!can_be_linked(address)) return address;
  std::string out(kLink);
  return out.append(address).append(kLinkEnd).append(address).append(kLink).append(kLinkEnd);
}

std::string without_links(std::string_view text) {
  return without(text, kLink, kLinkEnd);
}

std::string without_escapes(std::string_view text) {
  return without(without_links(text), kColor, "m");
}

std::size_t rows_of(std::string_view lines, std::size_t columns) {
  std::size_t rows = 0;
  while (!lines.empty()) {
    const auto line = lines.substr(0, lines.find('\n'));
    const auto width = columns_of(without_escapes(line));
    rows += std::max<std::size_t>(1, (width + columns - 1) / columns);
    lines.remove_prefix(std::min(line.size() + 1, lines.size()));
  }
  return rows;
}

}  // namespace nexus::cli
