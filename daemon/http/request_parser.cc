#include "daemon/http/request_parser.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "common/text.h"

namespace nexus::http {
namespace {

constexpr std::size_t kMaxLine = 8 * 1024;
constexpr std::size_t kMaxHead = 32 * 1024;
constexpr std::size_t kMaxHeaders = 100;
constexpr std::uint64_t kMaxBody = 1024 * 1024;

Parsed refuse(ErrorCode error, const char* reason) {
  Parsed parsed;
  parsed.state = Parsed::State::refused;
  parsed.error = error;
  parsed.reason = reason;
  return parsed;
}

Parsed malformed(const char* reason) {
  return refuse(ErrorCode::invalid_field, reason);
}

/// Header values: visible characters, blanks and bytes above ASCII.
bool is_field_value(std::string_view text) {
  for (const char c : text)
    if ((c >= 0 && c < 0x20 && c != '\t') || c == 0x7f) return false;
  return true;
}

/// Its segments; false when no route of ours can have it.
bool read_segments(std::string_view path, Request& request) {
  path.remove_prefix(1);
  if (path.empty()) return true;
  while (true) {
    const auto end = path.find('/');
    const auto segment = percent_decode(path.substr(0, end), false);
    // A slash at the end is well-formed, and told from a path without one: no route has it.
    const bool empty_inside = end != std::string_view::npos && path.substr(0, end).empty();
    if (!segment || empty_inside || *segment == "." || *segment == ".." || !is_valid_utf8(*segment))
      return false;
    request.segments.push_back(*segment);
    if (end == std::string_view::npos) return true;
    path.remove_prefix(end + 1);
  }
}

void read_query(std::string_view query, Request& request) {
  if (auto pairs = parse_form(query)) {
    request.query = *std::move(pairs);
    return;
  }
  request.query_is_malformed = true;
  const auto decoded = [](std::string_view text) {
    return percent_decode(text, true).value_or("\xef\xbf\xbd");
  };
  for (const auto& pair : split(query, '&')) {
    const auto end = std::min(pair.find('='), pair.size());
    request.query.emplace_back(decoded(pair.substr(0, end)),
                               decoded(pair.substr(std::min(end + 1, pair.size()))));
  }
}

/// Method, target and version; nothing when the line is not exactly that.
const char* read_request_line(std::string_view line, Parsed& parsed) {
  auto& request = parsed.request;
  const auto first = line.find(' ');
  const auto second = line.find(' ', first + 1);
  if (first == std::string_view::npos || second == std::string_view::npos)
    return "the request line is malformed";
  const auto version = line.substr(second + 1);
  request.method = line.substr(0, first);
  if (!is_http_token(request.method)) return "the method is malformed";
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return "the HTTP version is not supported";
  request.is_http_1_0 = version == "HTTP/1.0";
  request.keep_alive = !request.is_http_1_0;
  const auto target = line.substr(first + 1, second - first - 1);
  for (const char c : target)
    if (c <= 0x20 || c >= 0x7f || c == '#' || c == '\\') return "the target has odd characters";
  if (!target.starts_with('/')) return "the path is malformed";
  const auto mark = target.find('?');
  parsed.target = target;
  request.path = target.substr(0, mark);
  if (!read_segments(request.path, request)) parsed.path_fault = "the path is malformed";
  if (mark != std::string_view::npos) read_query(target.substr(mark + 1), request);
  return nullptr;
}

/// Adds one header; the reason when it is not one.
const char* read_header(std::string_view line, Request& request) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || !is_http_token(line.substr(0, colon)))
    return "a header is malformed";
  const auto value = trim(line.substr(colon + 1));
  if (!is_field_value(value)) return "a header's value has control characters";
  request.headers.emplace_back(lower(line.substr(0, colon)), value);
  return nullptr;
}

/// Which body follows (RFC 9112 6.3); the reason when two readers could disagree about it.
const char* read_framing(Parsed& parsed) {
  auto& request = parsed.request;
  const auto lengths = request.count_headers("content-length");
  const auto codings = request.count_headers("transfer-encoding");
  if (codings > 0) {
    if (lengths > 0 || codings > 1 || request.is_http_1_0 ||
        lower(request.header("transfer-encoding")) != "chunked")
      return "Transfer-Encoding is not supported, send Content-Length";
    parsed.is_chunked = true;
    return nullptr;
  }
  if (lengths > 1) return "Content-Length is given twice";
  if (lengths == 0) return nullptr;
  const auto length = parse_number(request.header("content-length"));
  if (!length) return "Content-Length is malformed";
  request.length = static_cast<std::uint64_t>(*length);
  return nullptr;
}

}  // namespace

Parsed parse_head(std::string_view data) {
  const auto head_end = data.find("\r\n\r\n");
  const auto head = data.substr(0, head_end == std::string_view::npos ? data.size() : head_end + 2);
  if (head.size() > kMaxHead)
    return refuse(ErrorCode::headers_too_large, "the headers are too large");
  for (std::size_t at = head.find_first_of("\r\n"); at != std::string_view::npos;
       at = head.find_first_of("\r\n", at + 2)) {
    if (head[at] == '\n') return malformed("a line ends without CR");
    if (at + 1 < head.size() && head[at + 1] != '\n') return malformed("a CR stands alone");
  }
  const auto line_end = head.find("\r\n");
  if (std::min(line_end, head.size()) > kMaxLine)
    return refuse(ErrorCode::headers_too_large, "the request line is too long");
  if (head_end == std::string_view::npos) return {};

  Parsed parsed;
  auto& request = parsed.request;
  if (const char* reason = read_request_line(head.substr(0, line_end), parsed))
    return malformed(reason);
  for (auto rest = head.substr(line_end + 2); !rest.empty();) {
    const auto end = rest.find("\r\n");
    if (request.headers.size() == kMaxHeaders)
      return refuse(ErrorCode::headers_too_large, "there are too many headers");
    if (const char* reason = read_header(rest.substr(0, end), request)) return malformed(reason);
    rest.remove_prefix(end + 2);
  }
  if (request.count_headers("host") > 1 ||
      (!request.is_http_1_0 && request.count_headers("host") == 0))
    return malformed("there has to be one Host header");
  if (const char* reason = read_framing(parsed)) return malformed(reason);
  if (lower(request.header("connection")).find("close") != std::string::npos)
    request.keep_alive = false;
  parsed.consumed = head_end + 4;
  parsed.state = Parsed::State::complete;
  return parsed;
}

Parsed parse_request(std::string_view data) {
  return with_body(parse_head(data), data);
}

Parsed with_body(Parsed parsed, std::string_view data) {
  if (parsed.state != Parsed::State::complete) return parsed;
  auto& request = parsed.request;
  if (*parsed.path_fault != '\0') return malformed(parsed.path_fault);
  if (parsed.is_chunked)
    return malformed("Transfer-Encoding is not supported, send Content-Length");
  const auto length = request.length.value_or(0);
  if (length > kMaxBody) return refuse(ErrorCode::body_too_large, "the body is larger than 1 MiB");
  const auto head = parsed.consumed;
  parsed.consumed += static_cast<std::size_t>(length);
  if (data.size() < parsed.consumed) return {};
  request.body = data.substr(head, static_cast<std::size_t>(length));
  return parsed;
}

}  // namespace nexus::http
