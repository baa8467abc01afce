#include "cli/output/output.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "common/descriptor.h"
#include "common/json.h"
#include "common/paths.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

bool shows_color(int fd, bool allowed) {
  return allowed && isatty(fd) && environment("NO_COLOR").empty() && environment("TERM") != "dumb";
}

}  // namespace

void Output::to_stdout(std::string_view text) const {
  // After a failure nothing more: what comes through must not look like all there is.
  if (write_error_ == 0 && !write_all(STDOUT_FILENO, text)) write_error_ = errno;
}

void Output::line(const std::vector<Words>& parts) const {
  std::string text;
  for (const auto& words : parts) text += colored(words);
  to_stdout(text += '\n');
}

void Output::raw(std::string_view credential) const {
  to_stdout(credential);
}

Result<void> Output::written() const {
  if (write_error_ == 0) return {};
  return Error{ErrorCode::failure,
               std::string("standard output cannot be written: ") + std::strerror(write_error_),
               "see where it leads to, and how much space there is"};
}

void Output::json_part(std::string_view text) const {
  const auto clean = escape_controls(text);
  to_stdout(stdout_is_terminal() ? indenter_.indent(clean) : clean);
}

void Output::json_line(std::string_view value) const {
  json_part(value);
  to_stdout("\n");
}

void Output::document(std::string_view toml) const {
  to_stdout(escape_controls(toml));
}

void Output::clear_screen() const {
  to_stdout("\033[H\033[2J");
}

void Output::note(std::string_view text) const {
  write_all(STDERR_FILENO, Words(text).text() + "\n");
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

void Output::picture(std::string_view lines) const {
  write_all(STDERR_FILENO, lines);
}

void Output::progress(std::string_view text) const {
  if (!stderr_is_terminal()) return;
  write_all(STDERR_FILENO, "\r\033[K" + Words(text).text());
}

bool Output::stderr_is_terminal() const {
  return isatty(STDERR_FILENO) && environment("TERM") != "dumb";
}

bool Output::stdout_is_terminal() const {
  return isatty(STDOUT_FILENO);
}

std::optional<std::size_t> Output::stdout_columns() const {
  if (!stdout_is_terminal()) return std::nullopt;
  winsize size{};
  const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

std::string Output::colored(const Words& words) const {
  constexpr const char* kCodes[] = {"0", "32", "33", "31"};
  if (words.color() == Color::none || !shows_color(STDOUT_FILENO, color_allowed))
    return words.text();
  return std::string("\033[") + kCodes[static_cast<int>(words.color())] + "m" + words.text() +
         "\033[0m";
}

Words Output::mark(bool good) {
  return good ? Words("ok  ", Color::green) : Words("FAIL", Color::red);
}

Words Output::change_line(const std::string& line) {
  const auto first = line.find_first_not_of(' ');
  const char sign = first == std::string::npos ? ' ' : line[first];
  return {line, sign == '+'   ? Color::green
                : sign == '-' ? Color::red
                : sign == '~' ? Color::yellow
                              : Color::none};
}

std::string duration_text(UnixTime seconds) {
  if (seconds < 0) return "-" + duration_text(-seconds);
  if (seconds < 60) return std::to_string(seconds) + "s";
  if (seconds < 3600) return std::to_string(seconds / 60) + "m";
  if (seconds < 48 * 3600)
    return std::to_string(seconds / 3600) + "h" +
           (seconds % 3600 < 60 ? "" : " " + std::to_string(seconds % 3600 / 60) + "m");
  return std::to_string(seconds / 86400) + "d";
}

std::string ago_text(UnixTime time) {
  return duration_text(std::max<UnixTime>(system_now() - time, 0)) + " ago";
}

}  // namespace nexus::cli
