#include "common/secret_fault.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>

#include "common/text.h"

namespace nexus {
namespace {

struct Range {
  std::uint32_t first;
  std::uint32_t last;
  const char* name;  ///< "" where few would know it
};

/// Controls, blanks other than the one of ASCII, and what has no width, in order.
constexpr std::array kInvisible{
    Range{0x0000, 0x0008, "a control character"},
    Range{0x0009, 0x0009, "a tab"},
    Range{0x000a, 0x000d, "a line break"},
    Range{0x000e, 0x001f, "a control character"},
    Range{0x007f, 0x009f, "a control character"},
    Range{0x00a0, 0x00a0, "a no-break space"},
    Range{0x00ad, 0x00ad, "a soft hyphen"},
    Range{0x034f, 0x034f, ""},
    Range{0x061c, 0x061c, "a direction mark"},
    Range{0x115f, 0x1160, "a filler"},
    Range{0x17b4, 0x17b5, ""},
    Range{0x180e, 0x180e, ""},
    Range{0x2000, 0x200a, "a blank of another width"},
    Range{0x200b, 0x200b, "a zero width space"},
    Range{0x200c, 0x200d, "a zero width joiner"},
    Range{0x200e, 0x200f, "a direction mark"},
    Range{0x2028, 0x2029, "a line break"},
    Range{0x202a, 0x202e, "a direction mark"},
    Range{0x202f, 0x202f, "a no-break space"},
    Range{0x205f, 0x205f, "a blank of another width"},
    Range{0x2060, 0x2064, "a zero width character"},
    Range{0x2065, 0x206f, "a direction mark"},
    Range{0x3000, 0x3000, "a blank of another width"},
    Range{0x3164, 0x3164, "a filler"},
    Range{0xfeff, 0xfeff, "a byte order mark"},
    Range{0xffa0, 0xffa0, "a filler"},
    Range{0xfff9, 0xfffb, ""},
    Range{0xe0000, 0xe007f, "a tag"},
};

struct Character {
  std::uint32_t code = 0;
  std::size_t size = 0;  ///< 0: not UTF-8
};

Character first_of(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (!is_valid_utf8(text.substr(0, size))) return {};
  std::uint32_t code = size == 1 ? lead : lead & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i)
    code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3fU);
  return {code, size};
}

const Range* invisible(std::uint32_t code, SecretForm form) {
  if (form == SecretForm::lines && (code == '\n' || code == '\r' || code == '\t')) return nullptr;
  const auto* found = std::find_if(kInvisible.begin(), kInvisible.end(), [&](const Range& range) {
    return range.first <= code && code <= range.last;
  });
  return found == kInvisible.end() ? nullptr : found;
}

/// The mark in front is not always written; of ASCII every second byte is zero.
bool is_utf16(std::string_view text) {
  const auto zero = [&](std::size_t i) { return text[i] == '\0' && text[i + 2] == '\0'; };
  return text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff") ||
         (text.size() >= 4 && (zero(0) || zero(1)));
}

std::string code_point(std::uint32_t code) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "U+%04X", code);
  return text.data();
}

}  // namespace

std::string fault_of_secret(std::string_view text, SecretForm form) {
  if (is_utf16(text)) return "is UTF-16 text, not UTF-8";
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto character = first_of(text);
    const auto place = " as its character " + std::to_string(number);
    if (character.size == 0) return "has a byte that is not UTF-8" + place;
    if (const auto* range = invisible(character.code, form)) {
      const std::string name = *range->name ? std::string(" (") + range->name + ")" : "";
      return "has " + code_point(character.code) + name + place;
    }
    text.remove_prefix(character.size);
  }
  return {};
}

}  // namespace nexus
