#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "common/error.h"
#include "common/text.h"

namespace nexus::fuzz {

/// clang 14 has no std::source_location.
inline void require(bool holds, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  if (holds) return;
  std::fprintf(stderr, "%s:%d does not hold\n", file, line);
  std::abort();
}

/// One input is for one of the parsers that a target has: its first byte says for which, 'A' for
/// the first of them, so that the files of a corpus can be written by hand.
struct Input {
  std::size_t kind = 0;
  std::string_view text;
};

inline Input input_of(const std::uint8_t* data, std::size_t size, std::size_t kinds) {
  if (size == 0) return {};
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  return {static_cast<std::uint8_t>(bytes[0] - 'A') % kinds, bytes.substr(1)};
}

/// What stands before the first line end, which is taken out of the text.
inline std::string_view take_line(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size());
  const auto line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

/// An error's words go to terminals, logs and browsers: nothing in them may be more than text.
inline void require_plain(const Error& error, const char* file = __builtin_FILE(),
                          int line = __builtin_LINE()) {
  require(!error.message.empty(), file, line);
  for (const auto& words : {error.message, error.hint})
    require(printable(words, words.size()) == words, file, line);
}

}  // namespace nexus::fuzz
