#include "common/layout.h"

#include <algorithm>
#include <span>
#include <utility>

#include "common/text.h"

namespace nexus {
namespace {

struct WidthRange {
  unsigned first;
  unsigned last;
};

/// What goes above or below the letter before, as far as names are likely to have it.
constexpr WidthRange kCombining[] = {
    {0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},  {0x610, 0x61a},   {0x64b, 0x65f},
    {0xe31, 0xe31},   {0xe34, 0xe3a},   {0xe47, 0xe4e},  {0x1ab0, 0x1aff}, {0x200b, 0x200f},
    {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}};
/// East_Asian_Width W and F of Unicode 15: letters, and the pictures that terminals have in
/// colours.
constexpr WidthRange kWide[] = {
    {0x1100, 0x115f},   {0x231a, 0x231b},   {0x2329, 0x232a},   {0x23e9, 0x23ec},
    {0x23f0, 0x23f0},   {0x23f3, 0x23f3},   {0x25fd, 0x25fe},   {0x2614, 0x2615},
    {0x2648, 0x2653},   {0x267f, 0x267f},   {0x2693, 0x2693},   {0x26a1, 0x26a1},
    {0x26aa, 0x26ab},   {0x26bd, 0x26be},   {0x26c4, 0x26c5},   {0x26ce, 0x26ce},
    {0x26d4, 0x26d4},   {0x26ea, 0x26ea},   {0x26f2, 0x26f3},   {0x26f5, 0x26f5},
    {0x26fa, 0x26fa},   {0x26fd, 0x26fd},   {0x2705, 0x2705},   {0x270a, 0x270b},
    {0x2728, 0x2728},   {0x274c, 0x274c},   {0x274e, 0x274e},   {0x2753, 0x2755},
    {0x2757, 0x2757},   {0x2795, 0x2797},   {0x27b0, 0x27b0},   {0x27bf, 0x27bf},
    {0x2b1b, 0x2b1c},   {0x2b50, 0x2b50},   {0x2b55, 0x2b55},   {0x2e80, 0x303e},
    {0x3041, 0x3247},   {0x3250, 0x4dbf},   {0x4e00, 0xa4cf},   {0xa960, 0xa97c},
    {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe10, 0xfe19},   {0xfe30, 0xfe6b},
    {0xff01, 0xff60},   {0xffe0, 0xffe6},   {0x16fe0, 0x16fe4}, {0x17000, 0x18d08},
    {0x1aff0, 0x1b2fb}, {0x1f004, 0x1f004}, {0x1f0cf, 0x1f0cf}, {0x1f18e, 0x1f18e},
    {0x1f191, 0x1f19a}, {0x1f200, 0x1f320}, {0x1f32d, 0x1f335}, {0x1f337, 0x1f37c},
    {0x1f37e, 0x1f393}, {0x1f3a0, 0x1f3ca}, {0x1f3cf, 0x1f3d3}, {0x1f3e0, 0x1f3f0},
    {0x1f3f4, 0x1f3f4}, {0x1f3f8, 0x1f43e}, {0x1f440, 0x1f440}, {0x1f442, 0x1f4fc},
    {0x1f4ff, 0x1f53d}, {0x1f54b, 0x1f54e}, {0x1f550, 0x1f567}, {0x1f57a, 0x1f57a},
    {0x1f595, 0x1f596}, {0x1f5a4, 0x1f5a4}, {0x1f5fb, 0x1f64f}, {0x1f680, 0x1f6c5},
    {0x1f6cc, 0x1f6cc}, {0x1f6d0, 0x1f6d2}, {0x1f6d5, 0x1f6d7}, {0x1f6dc, 0x1f6df},
    {0x1f6eb, 0x1f6ec}, {0x1f6f4, 0x1f6fc}, {0x1f7e0, 0x1f7eb}, {0x1f7f0, 0x1f7f0},
    {0x1f90c, 0x1f93a}, {0x1f93c, 0x1f945}, {0x1f947, 0x1f9ff}, {0x1fa70, 0x1faff},
    {0x20000, 0x3fffd}};

bool is_in(std::span<const WidthRange> ranges, unsigned letter) {
  return std::any_of(ranges.begin(), ranges.end(), [letter](const WidthRange& range) {
    return range.first <= letter && letter <= range.last;
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
