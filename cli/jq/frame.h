#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace nexus::cli::jq {

/// What nexus and nexus-jq send each other. nexus sends the expression, and is told `done` or an
/// error; then each page, and is told results and words as they come, `done` or an error in the
/// end.
enum class FrameKind : char {
  expression = 'x',
  page = 'p',
  results = 'r',  ///< lines, each with its end
  words = 'w',    ///< for stderr: of the builtins `debug` and `stderr`
  usage = 'u',    ///< an error's message; its hint is behind a line end
  failure = 'f',  ///< the same
  done = 'd',
};

struct Frame {
  FrameKind kind;
  std::string text;
};

/// Both are on this machine and of one build: a length is as the machine has it. False where the
/// other side has gone.
bool send_frame(int fd, FrameKind kind, std::string_view text);
/// Nothing where the other side has gone.
std::optional<Frame> receive_frame(int fd);

}  // namespace nexus::cli::jq
