#include "cli/output/output.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "common/json.h"
#include "common/paths.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

/// 0, or why not all of it was written.
int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

bool shows_color(int fd, bool allowed) {
  return allowed && isatty(fd) && environment("NO_COLOR").empty() && environment("TERM") != "dumb";
}

/// Columns on a terminal: one for each code point, near enough for names and statuses.
std::size_t width(std::string_view text) {
  std::size_t columns = 0;
  bool escape = false;
  for (const char c : text) {
    if (c == '\033') escape = true;
    if (!escape && (c & 0xc0) != 0x80) ++columns;
    if (escape && c == 'm') escape = false;
  }
  return columns;
}

}  // namespace

void Output::result(std::string_view text) const {
  // After a failure nothing more: what comes through must not look like all there is.
  if (write_error_ == 0) write_error_ = write_all(STDOUT_FILENO, text);
}

Result<void> Output::written() const {
  if (write_error_ == 0) return {};
  return Error{ErrorCode::failure,
               std::string("standard output cannot be written: ") + std::strerror(write_error_),
               "see where it leads to, and how much space there is"};
}

void Output::json_line(std::string_view value) const {
  result(std::string(value) + "\n");
}

void Output::note(std::string_view text) const {
  write_all(STDERR_FILENO, std::string(text) + "\n");
}

void Output::warn(std::string_view text) const {
  note("nexus: warning: " + std::string(text));
}

void Output::error(const Error& error) const {
  if (json)
    json_line(JsonWriter()
                  .begin()
                  .begin("error")
                  .member("code", error.wire())
                  .member("message", error.message)
                  .member("hint", error.hint)
                  .end()
                  .end()
                  .take());
  note("nexus: " + error.message);
  for (const auto& line : split(error.hint, '\n')) note("  " + line);
}

void Output::progress(std::string_view text) const {
  if (!stderr_is_terminal()) return;
  write_all(STDERR_FILENO, "\r\033[K" + std::string(text));
}

bool Output::stderr_is_terminal() const {
  return isatty(STDERR_FILENO) && environment("TERM") != "dumb";
}

bool Output::stdout_is_terminal() const {
  return isatty(STDOUT_FILENO);
}

std::string Output::status_word(ConnectionStatus status) const {
  if (!shows_color(STDOUT_FILENO, color_allowed)) return word(status);
  const char* color = status == ConnectionStatus::active    ? "32"
                      : status == ConnectionStatus::pending ? "33"
                                                            : "31";
  return std::string("\033[") + color + "m" + word(status) + "\033[0m";
}

std::string Output::mark(bool good) const {
  if (!shows_color(STDOUT_FILENO, color_allowed)) return good ? "ok  " : "FAIL";
  return good ? "\033[32mok\033[0m  " : "\033[31mFAIL\033[0m";
}

std::string Output::change_line(const std::string& line) const {
  if (!shows_color(STDOUT_FILENO, color_allowed)) return line;
  const auto first = line.find_first_not_of(' ');
  const char sign = first == std::string::npos ? ' ' : line[first];
  const char* color = sign == '+' ? "32" : sign == '-' ? "31" : sign == '~' ? "33" : "0";
  return std::string("\033[") + color + "m" + line + "\033[0m";
}

void Output::table(const std::vector<std::string>& head,
                   const std::vector<std::vector<std::string>>& rows) const {
  std::vector<std::size_t> widths;
  table(head, rows, widths);
}

void Output::table(const std::vector<std::string>& head,
                   const std::vector<std::vector<std::string>>& rows,
                   std::vector<std::size_t>& widths) const {
  const bool first = widths.empty();
  if (first)
    for (const auto& cell : head) widths.push_back(width(cell));
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string text;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      text += cells[i];
      if (i + 1 < cells.size()) text += std::string(widths[i] - width(cells[i]) + 2, ' ');
    }
    result(text + "\n");
  };
  if (first) line(head);
  for (const auto& row : rows) line(row);
}

std::string duration_text(UnixTime seconds) {
  if (seconds < 0) return "-" + duration_text(-seconds);
  if (seconds < 60) return std::to_string(seconds) + "s";
  if (seconds < 3600) return std::to_string(seconds / 60) + "m";
  if (seconds < 48 * 3600)
    return std::to_string(seconds / 3600) + "h " + std::to_string(seconds % 3600 / 60) + "m";
  return std::to_string(seconds / 86400) + "d";
}

}  // namespace nexus::cli
