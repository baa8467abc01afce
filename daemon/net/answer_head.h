#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nexus {

constexpr std::size_t kMaxHeadBytes = 64 * 1024;  ///< of a server's answer

using HeaderLines = std::vector<std::pair<std::string, std::string>>;

/// The head of a server's answer, and what it says of the body's end (RFC 9112 6.3): a length, or
/// chunks, or neither, which is the end of the connection.
struct AnswerHead {
  int status = 0;       ///< 0 where the status line has none
  HeaderLines headers;  ///< as they came, in their order
  std::optional<std::uint64_t> length;
  bool is_chunked = false;
  bool has_status_line = false;
  bool has_bare_ends = false;  ///< lines end with LF alone

  /// One before the head that counts (RFC 9110 15.2); 101 is one that counts.
  bool is_interim() const { return status >= 100 && status < 200 && status != 101; }

  /// Takes its next line, with its end or all of them without. What is wrong with it, "" for
  /// nothing: the status line is the first and the only one, and all have to end alike, or one
  /// reader's header is two to another (RFC 9112 2.2).
  const char* add_line(std::string_view line);
  /// When all of them are there: finds out how the body ends. "" unless two readers could come to
  /// different ends.
  const char* read_framing();
};

}  // namespace nexus
