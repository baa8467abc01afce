#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace nexus::cli {

// The sequences that tell a terminal of colours (ECMA-48 8.3.117, SGR) and links (OSC 8).

/// `code`: "32" for green.
std::string in_color(const std::string& text, const char* code);

/// An address as a link to itself; as it is, where it is none that terminals take: http or https,
/// of characters that are seen, and no longer than VTE's limit.
std::string linked(const std::string& address);
std::string without_links(std::string_view text);

/// The text as it is seen.
std::string without_escapes(std::string_view text);

/// How many rows the lines take on a terminal of so many columns.
std::size_t rows_of(std::string_view lines, std::size_t columns);

}  // namespace nexus::cli
