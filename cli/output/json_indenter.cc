#include "cli/output/json_indenter.h"

#include <algorithm>

namespace nexus::cli {
namespace {

constexpr std::size_t kDeepest = 64;  ///< beyond it nobody reads, and a line would be blanks alone

}  // namespace

SecretText JsonIndenter::indent(std::string_view piece) {
  SecretText out;
  out.reserve(2 * piece.size());
  for (const char c : piece) add(c, out);
  return out;
}

void JsonIndenter::add(char c, SecretText& out) {
  if (in_text_) {
    out += c;
    in_text_ = escaped_ || c != '"';
    escaped_ = !escaped_ && c == '\\';
    return;
  }
  const bool is_blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
  if (is_blank && depth_ > 0) return;  // outside of brackets it parts documents
  const bool closes = c == '}' || c == ']';
  if (closes && depth_ > 0) --depth_;
  if (opened_ != closes && c != ',' && c != ':') break_line(out);
  opened_ = c == '{' || c == '[';
  if (opened_) ++depth_;
  in_text_ = c == '"';
  out += c;
  if (c == ',') break_line(out);
  if (c == ':') out += ' ';
}

void JsonIndenter::break_line(SecretText& out) const {
  out += '\n';
  out.append(2 * std::min(depth_, kDeepest), ' ');
}

}  // namespace nexus::cli
