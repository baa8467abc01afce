#include "cli/jq/filter.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "cli/jq/frame.h"
#include "common/text.h"

namespace nexus::cli::jq {
namespace {

constexpr std::size_t kShownMessage = 400;

Error error_in(const Frame& frame) {
  const auto line_end = frame.text.rfind('\n');
  return {frame.kind == FrameKind::usage ? ErrorCode::usage : ErrorCode::failure,
          printable(frame.text.substr(0, line_end), kShownMessage),
          frame.text.substr(line_end + 1)};
}

}  // namespace

Filter::~Filter() {
  if (program_.child == 0) return;
  kill(program_.child, SIGKILL);
  wait_for(program_.child);
}

Result<Filter> Filter::start(const std::string& expression) {
  NEXUS_TRY(auto program, start_piped("nexus-jq"));
  Filter filter(std::move(program));
  send_frame(filter.program_.to.get(), FrameKind::expression, expression);
  NEXUS_CHECK(filter.hear({}));
  return filter;
}

Result<void> Filter::put_through(std::string_view page, const Receiver& receiver) {
  // It reads all of a page before it says anything of it, so neither waits for the other.
  send_frame(program_.to.get(), FrameKind::page, page);
  return hear(receiver);
}

Result<void> Filter::hear(const Receiver& receiver) {
  while (const auto frame = receive_frame(program_.from.get())) {
    if (frame->kind == FrameKind::done) return {};
    if (frame->kind == FrameKind::results) {
      NEXUS_CHECK(receiver.lines(frame->text));
    } else if (frame->kind == FrameKind::words) {
      receiver.words(frame->text);
    } else {
      return error_in(*frame);
    }
  }
  const int status = wait_for(std::exchange(program_.child, 0));
  return Error{ErrorCode::failure,
               "the expression of --jq could not be worked out" +
                   (WIFSIGNALED(status) ? ": " + std::string(strsignal(WTERMSIG(status))) : ""),
               "it may need more memory than there is, or be without an end"};
}

}  // namespace nexus::cli::jq
