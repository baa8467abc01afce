#include "daemon/net/answer_head.h"

#include <algorithm>

#include "common/text.h"

namespace nexus {
namespace {

int status_in(std::string_view line) {
  const auto space = line.find(' ');
  const auto digits = line.substr(std::min(space, line.size()));
  return static_cast<int>(parse_number(trim(digits.substr(0, 4))).value_or(0));
}

}  // namespace

const char* AnswerHead::add_line(std::string_view line) {
  if (line.starts_with("HTTP/")) {
    if (has_status_line || !headers.empty()) return "it has two status lines";
    has_status_line = true;
    status = status_in(line);
    has_bare_ends = !line.ends_with("\r\n");
    return "";
  }
  if (line.ends_with("\r\n") == has_bare_ends) return "the lines of its head end in two ways";
  const auto colon = line.find(':');
  const auto name = line.substr(0, std::min(colon, line.size()));
  if (colon == std::string_view::npos || !is_http_token(name))
    return "a line of its head is no header";
  headers.emplace_back(name, trim(line.substr(colon + 1)));
  return "";
}

const char* AnswerHead::read_framing() {
  if (status < 100 || status > 999) return "its status is none";
  for (const auto& [name, value] : headers) {
    const auto known = lower(name);
    if (known == "content-length") {
      const auto told = parse_number(value);
      if (!told || length) return "its Content-Length is malformed, or given twice";
      length = static_cast<std::uint64_t>(*told);
    } else if (known == "transfer-encoding") {
      if (is_chunked || lower(value) != "chunked") return "its Transfer-Encoding is unknown";
      is_chunked = true;
    }
  }
  return is_chunked && length ? "it has both Content-Length and Transfer-Encoding" : "";
}

}  // namespace nexus
