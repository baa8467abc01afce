#include "cli/output/output.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "cli/output/escapes.h"
#include "cli/output/terminal_size.h"
#include "cli/output/wrapping.h"
#include "common/descriptor.h"
#include "common/json.h"
#include "common/layout.h"
#include "common/paths.h"
#include "common/standard_streams.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

bool shows_color(int fd, bool allowed) {
  return allowed && isatty(fd) && environment("NO_COLOR").empty() && environment("TERM") != "dumb";
}

/// Terminals that know no links pass over them, but for a few. A link is no colour, and so nothing
/// that NO_COLOR is about.
bool shows_links(int fd) {
  if (!isatty(fd)) return false;
  if (const auto forced = environment("FORCE_HYPERLINK"); !forced.empty()) return forced != "0";
  const auto terminal = environment("TERM");
  return !terminal.empty() && terminal != "dumb" && terminal != "linux";
}

/// For stderr.
std::string with_link(std::string text, std::string_view address) {
  const auto at = address.empty() ? std::string::npos : text.find(address);
  if (at != std::string::npos && shows_links(STDERR_FILENO))
    text.replace(at, address.size(), linked(std::string(address)));
  return text;
}

}  // namespace

void Output::to_stdout(std::string_view text) const {
  // After a failure nothing more: what comes through must not look like all there is.
  if (write_error_ != 0) return;
  const bool shown = viewer_ ? viewer_->show(text) : write_all(STDOUT_FILENO, text);
  if (!shown) write_error_ = errno;
}

void Output::line(const std::vector<Words>& parts) const {
  std::string text;
  for (const auto& words : parts) text += styled(words);
  to_stdout(text += '\n');
}

void Output::raw(std::string_view credential) const {
  to_stdout(credential);
}

Result<void> Output::written() const {
  if (write_error_ == 0) return {};
  return unwritten(write_error_);
}

void Output::end_viewer() const {
  if (!viewer_) return;
  write_error_ = viewer_->end();
  viewer_.reset();
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

void Output::to_stderr(std::string_view lines) const {
  if (viewer_ && isatty(STDERR_FILENO))
    viewer_->show(lines);
  else
    write_all(STDERR_FILENO, lines);
}

void Output::note(std::string_view text, std::string_view address) const {
  if (!text.starts_with(' ')) return note_behind("", text, address);
  to_stderr(with_link(Words(text).text(), address) + "\n");
}

void Output::note_behind(const std::string& lead, std::string_view text,
                         std::string_view address) const {
  const auto terminal = terminal_size(STDERR_FILENO);
  std::string lines;
  for (const auto& line : laid_out(lead, Words(text).text(),
                                   terminal ? std::optional(terminal->columns) : std::nullopt))
    lines += line.lead + with_link(line.text, address) + "\n";
  to_stderr(lines);
}

void Output::warn(std::string_view text) const {
  note_behind("nexus: ", "warning: " + std::string(text));
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
  note_behind("nexus: ", error.message);
  for (const auto& line : split(error.hint, '\n'))
    line.starts_with(' ') ? note("  " + line) : note_behind("  ", line);
}

void Output::picture(std::string_view lines) const {
  write_all(STDERR_FILENO, lines);
}

void Output::progress(std::string_view text) const {
  if (!stderr_is_terminal() || (viewer_ && viewer_->has_terminal())) return;
  // Of what goes on in the next row nobody could take that back.
  const auto columns = terminal_size(STDERR_FILENO).value_or(TerminalSize{0, 80}).columns;
  write_all(STDERR_FILENO, "\r\033[K" + cut_to(Words(text).text(), columns - 1));
}

bool Output::stderr_is_terminal() const {
  return isatty(STDERR_FILENO) && environment("TERM") != "dumb";
}

bool Output::stdout_is_terminal() const {
  return isatty(STDOUT_FILENO);
}

std::optional<std::size_t> Output::stdout_columns() const {
  const auto size = terminal_size(STDOUT_FILENO);
  return size ? std::optional(size->columns) : std::nullopt;
}

std::string Output::styled(const Words& words) const {
  constexpr const char* kCodes[] = {"0", "32", "33", "31"};
  const auto& text = words.text();
  if (words.is_address() && shows_links(STDOUT_FILENO)) return linked(text);
  if (words.color() == Color::none || !shows_color(STDOUT_FILENO, color_allowed)) return text;
  return in_color(text, kCodes[static_cast<int>(words.color())]);
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
