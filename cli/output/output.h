#pragma once

#include <cerrno>
#include <optional>
#include <string>
#include <string_view>

#include "cli/output/json_indenter.h"
#include "common/clock.h"
#include "common/error.h"

namespace nexus::cli {

enum class Color { none, green, yellow, red };

/// Where a command's words go: results to stdout, everything else to stderr; colour only where a
/// terminal shows it. It remembers a result that could not be written, so that a command need not
/// look after each line: whoever ends the command does.
struct Output {
  bool json = false;
  bool color_allowed = true;

  void result(std::string_view text) const;  ///< to stdout, as it is
  /// A part of a JSON document: indented on a terminal, as it is elsewhere.
  void json_part(std::string_view text) const;
  void json_line(std::string_view value) const;  ///< a whole one, on a line of its own
  /// Error: failure, once a part of the results did not get to stdout.
  Result<void> written() const;
  /// That it did not because the reader of a pipe has seen enough (`nexus list | head`).
  bool reader_has_left() const { return write_error_ == EPIPE; }
  void note(std::string_view text) const;  ///< a line on stderr
  void warn(std::string_view text) const;
  void error(const Error& error) const;
  /// Replaces the present line of a terminal's stderr; nothing elsewhere. "" clears it.
  void progress(std::string_view text) const;

  bool stderr_is_terminal() const;
  bool stdout_is_terminal() const;
  /// How many columns stdout has; nothing where it is no terminal.
  std::optional<std::size_t> stdout_columns() const;
  /// The sign of a check that went well or did not, coloured where stdout shows colours.
  std::string mark(bool good) const;
  /// A line of a difference: green for '+', red for '-', yellow for '~', plain for others.
  std::string change_line(const std::string& line) const;
  /// The text in that colour, where stdout shows colours.
  std::string colored(std::string_view text, Color color) const;

 private:
  mutable int write_error_ = 0;
  mutable JsonIndenter indenter_;
};

/// "59m", "2h 5m", "3d": a length of time for people.
std::string duration_text(UnixTime seconds);
/// "12m ago"
std::string ago_text(UnixTime time);

}  // namespace nexus::cli
