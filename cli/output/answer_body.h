#pragma once

#include <string>
#include <string_view>

#include "cli/output/output.h"
#include "common/descriptor.h"
#include "common/error.h"

namespace nexus::cli {

/// Where the body of a server's answer goes: into a file or to stdout, as it is. A server is no
/// friend of a terminal: there JSON is laid out, and what would move the cursor is not shown.
class AnswerBody {
 public:
  /// Into `file`, made anew for this user alone; "" for stdout, "-" for stdout as it is. Error:
  /// usage.
  static Result<AnswerBody> open(const Output& output, const std::string& file);

  /// A piece of it, wherever it was cut. Error: failure.
  Result<void> write(std::string_view piece, bool is_json);
  /// That there are no more: a terminal's line ends.
  void end();

 private:
  AnswerBody(const Output& output, const std::string& file, Descriptor fd)
      : output_(&output),
        file_(file),
        fd_(std::move(fd)),
        is_shown_(file.empty() && output.stdout_is_terminal()) {}
  void show(std::string_view text, bool is_json);

  const Output* output_;
  std::string file_;
  Descriptor fd_;
  bool is_shown_;         ///< on a terminal
  std::string cut_{};     ///< the beginning of a character, of a piece that ended in it
  bool in_line_ = false;  ///< the last thing shown was no line end
};

}  // namespace nexus::cli
