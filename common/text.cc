#include "common/text.h"

#include <charconv>
#include <cstdint>

namespace nexus {
namespace {

/// The length of the well-formed UTF-8 sequence at the front of `text`, 0 when there is none.
std::size_t utf8_sequence(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xc0) != 0x80) return 0;
  if (first == 0xe0 && byte(1) < 0xa0) return 0;  // overlong
  if (first == 0xed && byte(1) > 0x9f) return 0;  // surrogates
  if (first == 0xf0 && byte(1) < 0x90) return 0;  // overlong
  if (first == 0xf4 && byte(1) > 0x8f) return 0;  // beyond U+10FFFF
  return length;
}

bool is_disturbing(std::string_view sequence) {
  if (sequence.size() == 1) return sequence[0] < 0x20 || sequence[0] == 0x7f;
  if (sequence.size() == 2)
    return sequence[0] == '\xc2' && static_cast<unsigned char>(sequence[1]) < 0xa0;
  // U+202A..U+202E and U+2066..U+2069 turn the reading direction; U+2028/9 break lines.
  return sequence.starts_with("\xe2\x80")
             ? sequence[2] >= '\xa8' && sequence[2] <= '\xae'
             : sequence.starts_with("\xe2\x81") && sequence[2] >= '\xa6' && sequence[2] <= '\xa9';
}

/// The code of one that is disturbing; of the others only those of three bytes at the most.
unsigned code_of(std::string_view sequence) {
  unsigned code = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() > 1) code &= sequence.size() == 2 ? 0x1fU : 0x0fU;
  for (const char c : sequence.substr(1))
    code = code << 6 | (static_cast<unsigned char>(c) & 0x3fU);
  return code;
}

/// `kept`: of the control characters those that stay.
std::string printable_but(std::string_view text, std::size_t limit, std::string_view kept) {
  std::string out;
  while (!text.empty()) {
    const auto length = utf8_sequence(text);
    const auto sequence = text.substr(0, length == 0 ? 1 : length);
    const bool is_kept = kept.find(sequence[0]) != std::string_view::npos;
    const bool is_replaced = (length == 0 || is_disturbing(sequence)) && !is_kept;
    const auto shown = is_replaced ? std::string_view("?") : sequence;
    if (out.size() + shown.size() > limit) break;
    out += shown;
    text.remove_prefix(sequence.size());
  }
  return out;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

void append_escaped(std::string& out, char c) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  out += '%';
  out += hex[static_cast<unsigned char>(c) >> 4];
  out += hex[static_cast<unsigned char>(c) & 15];
}

}  // namespace

std::string printable(std::string_view text, std::size_t limit) {
  return printable_but(text, limit, "");
}

std::string printable_lines(std::string_view text) {
  return printable_but(text, text.size(), "\n\t");
}

std::string_view whole_characters(std::string_view text) {
  // The first byte of the last character tells how long it is to be.
  for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if (byte < 0x80) return text;
    if (byte < 0xc0) continue;
    const std::size_t length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return length > back ? text.substr(0, text.size() - back) : text;
  }
  return text;
}

SecretText escape_controls(std::string_view document) {
  constexpr std::string_view hex = "0123456789abcdef";
  SecretText out;
  out.reserve(document.size());
  while (!document.empty()) {
    const auto length = utf8_sequence(document);
    const auto sequence = document.substr(0, length == 0 ? 1 : length);
    if (sequence == "\n") {
      out += '\n';
    } else if (sequence == "\t" || sequence == "\r") {
      out += ' ';
    } else if (length == 0 || is_disturbing(sequence)) {
      const auto code = length == 0 ? 0xfffdU : code_of(sequence);
      out += "\\u";
      for (int shift = 12; shift >= 0; shift -= 4) out += hex[code >> shift & 15U];
    } else {
      out += sequence;
    }
    document.remove_prefix(sequence.size());
  }
  return out;
}

std::string printable_without(std::string_view text, const std::vector<std::string_view>& secrets) {
  std::string masked(text.substr(0, 64 * 1024));
  for (const auto secret : secrets) {
    if (secret.size() < 4) continue;
    for (const auto& form : {std::string(secret), percent_encode(secret), form_encode(secret)})
      for (auto at = masked.find(form); at != std::string::npos; at = masked.find(form, at))
        masked.replace(at, form.size(), "[redacted]");
  }
  return printable(masked);
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const auto end = text.find(separator);
    if (const auto part = text.substr(0, end); !part.empty()) parts.emplace_back(part);
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return parts;
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string out;
  for (const auto& part : parts) {
    if (!out.empty()) out += separator;
    out += part;
  }
  return out;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (auto& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string percent_encode(std::string_view text) {
  std::string out;
  for (const char c : text) is_unreserved(c) ? void(out += c) : append_escaped(out, c);
  return out;
}

std::string form_encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == ' ') {
      out += '+';
    } else {
      is_unreserved(c) && c != '~' ? void(out += c) : append_escaped(out, c);
    }
  }
  return out;
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0 || (high == 0 && low == 0)) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

std::optional<std::vector<std::pair<std::string, std::string>>> parse_form(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const auto& pair : split(text, '&')) {
    const auto equals = pair.find('=');
    auto name = percent_decode(std::string_view(pair).substr(0, equals), true);
    auto value = equals == std::string::npos
                     ? std::optional<std::string>("")
                     : percent_decode(std::string_view(pair).substr(equals + 1), true);
    if (!name || !value) return std::nullopt;
    pairs.emplace_back(*std::move(name), *std::move(value));
  }
  return pairs;
}

bool is_http_token(std::string_view text) {
  constexpr std::string_view others = "!#$%&'*+-.^_`|~";
  for (const char c : text) {
    const bool alphanumeric =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!alphanumeric && others.find(c) == std::string_view::npos) return false;
  }
  return !text.empty();
}

std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t value = 0;
  if (text.empty() || text[0] < '0' || text[0] > '9') return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string shell_quote(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

bool is_plain_path(std::string_view path) {
  if (!path.starts_with('/') || path.find("//") != std::string_view::npos) return false;
  for (const auto& part : split(path, '/'))
    if (part == "." || part == "..") return false;
  constexpr std::string_view others = "/!$&'()*+,;=:@";
  for (const char c : path)
    if (!is_unreserved(c) && others.find(c) == std::string_view::npos) return false;
  return true;
}

bool is_valid_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto length = utf8_sequence(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

bool is_vschar(std::string_view text) {
  for (const char c : text)
    if (c < 0x20 || c > 0x7e) return false;
  return true;
}

}  // namespace nexus
