#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/secret.h"

namespace nexus {

/// Text from outside made fit for a terminal, a log line or a message: control characters (ANSI and
/// OSC sequences with them), bidirectional overrides and broken UTF-8 become '?', and it is cut to
/// `limit` bytes.
std::string printable(std::string_view text, std::size_t limit = 512);

/// The same for texts of many lines and any length: line ends and tabs stay.
std::string printable_lines(std::string_view text);

/// What there is of a text that comes in pieces, without a character that the last one has cut in
/// two.
std::string_view whole_characters(std::string_view text);

/// JSON (or TOML) from outside made fit for a terminal: what `printable` takes out stands escaped
/// in its texts, so that it is the same document. Blanks between its parts stay blanks.
SecretText escape_controls(std::string_view document);

/// `printable`, with every occurrence of the given secrets masked: some authorization servers echo
/// what they were sent in error_description.
std::string printable_without(std::string_view text, const std::vector<std::string_view>& secrets);

std::vector<std::string> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string lower(std::string_view text);
std::string upper(std::string_view text);
std::string_view trim(std::string_view text);
/// RFC 9110 5.6.2: a method or the name of a header.
bool is_http_token(std::string_view text);

/// RFC 3986 percent-encoding: everything but unreserved characters is encoded.
std::string percent_encode(std::string_view text);
/// application/x-www-form-urlencoded (space becomes '+'), as RFC 6749 appendix B wants it.
std::string form_encode(std::string_view text);
/// Nothing where the encoding is malformed or hides a NUL. `plus_is_space` for query strings.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);

/// The pairs of a query or of a form (application/x-www-form-urlencoded), decoded, in their order.
/// Nothing where one is malformed.
std::optional<std::vector<std::pair<std::string, std::string>>> parse_form(std::string_view text);

/// A non-negative decimal number without sign or blanks.
std::optional<std::int64_t> parse_number(std::string_view text);

/// Quoted for sh: safe to `eval`.
std::string shell_quote(std::string_view text);

/// A path that every program takes for the same one: absolute, of characters that stand for
/// themselves, and no part of it empty, "." or "..".
bool is_plain_path(std::string_view path);

bool is_valid_utf8(std::string_view text);

/// RFC 6749 appendix A: VSCHAR is 0x20 to 0x7e.
bool is_vschar(std::string_view text);

}  // namespace nexus
