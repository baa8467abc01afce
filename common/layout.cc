#include "common/layout.h"

#include <algorithm>
#include <array>
#include <utility>

#include "common/text.h"

namespace nexus {
namespace {

constexpr std::array kCombining{
    std::pair(0x300U, 0x36fU),   std::pair(0x483U, 0x489U),   std::pair(0x591U, 0x5bdU),
    std::pair(0x610U, 0x61aU),   std::pair(0x64bU, 0x65fU),   std::pair(0xe31U, 0xe3aU),
    std::pair(0x1ab0U, 0x1affU), std::pair(0x200bU, 0x200fU), std::pair(0x20d0U, 0x20ffU),
    std::pair(0xfe00U, 0xfe0fU), std::pair(0xfe20U, 0xfe2fU)};
constexpr std::array kWide{
    std::pair(0x1100U, 0x115fU),   std::pair(0x2e80U, 0x303eU),  std::pair(0x3041U, 0xa4cfU),
    std::pair(0xac00U, 0xd7a3U),   std::pair(0xf900U, 0xfaffU),  std::pair(0xfe30U, 0xfe6fU),
    std::pair(0xff00U, 0xff60U),   std::pair(0xffe0U, 0xffe6U),  std::pair(0x1f300U, 0x1f64fU),
    std::pair(0x1f900U, 0x1f9ffU), std::pair(0x20000U, 0x3fffdU)};

template <std::size_t count>
bool is_in(const std::array<std::pair<unsigned, unsigned>, count>& ranges, unsigned letter) {
  return std::any_of(ranges.begin(), ranges.end(), [letter](const auto& range) {
    return range.first <= letter && letter <= range.second;
  });
}

/// The first letter's bytes; broken UTF-8 gives one byte at a time.
std::string_view first_letter(std::string_view text) {
  std::size_t size = 1;
  while (size < text.size() && size < 4 && (text[size] & 0xc0) == 0x80) ++size;
  return text.substr(0, size);
}

std::size_t columns_of_letter(std::string_view letter) {
  if (letter.size() == 1) return 1;
  auto number = static_cast<unsigned char>(letter[0]) & (0xffU >> (letter.size() + 1));
  for (const char c : letter.substr(1)) number = number << 6 | (static_cast<unsigned>(c) & 0x3fU);
  return is_in(kCombining, number) ? 0 : is_in(kWide, number) ? 2 : 1;
}

}  // namespace

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    const auto letter = first_letter(text);
    columns += columns_of_letter(letter);
    text.remove_prefix(letter.size());
  }
  return columns;
}

std::string cut_to(std::string_view text, std::size_t columns) {
  if (columns_of(text) <= columns) return std::string(text);
  std::string out;
  for (std::size_t used = 1; !text.empty();) {  // one for the …
    const auto letter = first_letter(text);
    used += columns_of_letter(letter);
    if (used > columns) break;
    out += letter;
    text.remove_prefix(letter.size());
  }
  return columns == 0 ? out : out + "…";
}

std::vector<std::string> wrapped(std::string_view text, std::size_t columns) {
  std::vector<std::string> lines;
  for (const auto& paragraph : split(text, '\n')) {
    if (columns_of(paragraph) <= columns) {
      lines.push_back(paragraph);
      continue;
    }
    std::string line;
    for (const auto& word : split(paragraph, ' ')) {
      const bool fits = columns_of(line) + 1 + columns_of(word) <= columns;
      if (!line.empty() && !fits) lines.push_back(std::exchange(line, ""));
      if (!line.empty()) line += ' ';
      line += word;
    }
    lines.push_back(std::move(line));
  }
  if (lines.empty()) lines.emplace_back();
  return lines;
}

}  // namespace nexus
