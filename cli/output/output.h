#pragma once

#include <cerrno>
#include <string>
#include <string_view>
#include <vector>

#include "common/api/words.h"
#include "common/clock.h"
#include "common/error.h"

namespace nexus::cli {

/// Where a command's words go: results to stdout, everything else to stderr; colour only where a
/// terminal shows it. It remembers a result that could not be written, so that a command need not
/// look after each line: whoever ends the command does.
struct Output {
  bool json = false;
  bool color_allowed = true;

  void result(std::string_view text) const;      ///< to stdout, as it is
  void json_line(std::string_view value) const;  ///< one value, on a line of its own
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
  /// The sign of a check that went well or did not, coloured where stdout shows colours.
  std::string mark(bool good) const;
  /// A line of a difference: green for '+', red for '-', yellow for '~', plain for others.
  std::string change_line(const std::string& line) const;
  /// The text in the colour of a status word, where stdout shows colours.
  std::string status_word(ConnectionStatus status) const;
  void table(const std::vector<std::string>& head,
             const std::vector<std::vector<std::string>>& rows) const;
  /// The same for a table that comes in parts: the head is printed with the first one, while
  /// `widths` is empty.
  void table(const std::vector<std::string>& head,
             const std::vector<std::vector<std::string>>& rows,
             std::vector<std::size_t>& widths) const;

 private:
  mutable int write_error_ = 0;
};

/// "59m", "2h 5m", "3d": a length of time for people.
std::string duration_text(UnixTime seconds);

}  // namespace nexus::cli
