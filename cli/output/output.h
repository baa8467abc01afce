#pragma once

#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/output/json_indenter.h"
#include "cli/output/viewer.h"
#include "cli/output/words.h"
#include "common/clock.h"
#include "common/error.h"

namespace nexus::cli {

/// Where a command's words go: results to stdout, everything else to stderr; colour only where a
/// terminal shows it. What it is given may come from anywhere, and is cleaned here (Words), so that
/// no command need think of it. It remembers a result that could not be written, so that a command
/// need not look after each line: whoever ends the command does.
struct Output {
  bool json = false;
  bool color_allowed = true;
  bool pager_allowed = true;

  void line(const Words& words) const { line(std::vector<Words>{words}); }  ///< on stdout
  void line(const std::vector<Words>& parts) const;
  void raw(std::string_view credential) const;  ///< to stdout, as it is
  /// A part of a JSON document: indented on a terminal, as it is elsewhere.
  void json_part(std::string_view text) const;
  void json_line(std::string_view value) const;  ///< a whole one, on a line of its own
  void document(std::string_view toml) const;
  /// Error: failure, once a part of the results did not get to stdout.
  Result<void> written() const;
  /// That it did not because the reader of a pipe has seen enough (`nexus list | head`).
  bool reader_has_left() const { return write_error_ == EPIPE; }
  /// A line on stderr, or among the results where a viewer shows those and stderr is its terminal.
  /// What begins with a blank is there to be copied; other lines are broken where a terminal ends.
  /// A terminal may open `address`, which is part of the text.
  void note(std::string_view text, std::string_view address = {}) const;
  /// The same with something before the text, which goes on below itself.
  void note_behind(const std::string& lead, std::string_view text,
                   std::string_view address = {}) const;
  void warn(std::string_view text) const;
  void error(const Error& error) const;
  /// On stderr, as it is: a picture, and nothing that anybody else has written.
  void picture(std::string_view lines) const;
  /// Replaces the present line of a terminal's stderr; nothing elsewhere. "" clears it.
  void progress(std::string_view text) const;

  /// What is shown from now on is shown by that.
  void show_by(std::unique_ptr<Viewer> viewer) { viewer_ = std::move(viewer); }
  /// Whoever ends the command does this, and has the terminal back.
  void end_viewer() const;

  bool stderr_is_terminal() const;
  bool stdout_is_terminal() const;
  /// How many columns stdout has; nothing where it is no terminal.
  std::optional<std::size_t> stdout_columns() const;
  /// The sign of a check that went well or did not, coloured where stdout shows colours.
  static Words mark(bool good);
  /// A line of a difference: green for '+', red for '-', yellow for '~', plain for others.
  static Words change_line(const std::string& line);

 private:
  void to_stdout(std::string_view text) const;
  void to_stderr(std::string_view lines) const;
  std::string styled(const Words& words) const;  ///< as stdout shows them
  mutable int write_error_ = 0;
  mutable std::unique_ptr<Viewer> viewer_;
  mutable JsonIndenter indenter_;
};

/// "59m", "2h 5m", "3d": a length of time for people.
std::string duration_text(UnixTime seconds);
/// "12m ago"
std::string ago_text(UnixTime time);

}  // namespace nexus::cli
