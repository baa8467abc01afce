#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "cli/piped_program.h"
#include "common/error.h"

namespace nexus::cli::jq {

/// A jq expression that pages of JSON go through, worked out by nexus-jq.
class Filter {
 public:
  /// What a page becomes: lines for stdout, and what the expression says on stderr.
  struct Receiver {
    std::function<Result<void>(std::string_view)> lines;
    std::function<void(std::string_view)> words;
  };

  Filter(Filter&& other) noexcept : program_(std::move(other.program_)) {
    other.program_.child = 0;
  }
  Filter& operator=(Filter&&) = delete;
  /// Ends nexus-jq, whatever it is at, and leaves no zombie to an init that reaps none.
  ~Filter();

  /// Error: usage, for what is no expression; failure, where nexus-jq is not installed.
  static Result<Filter> start(const std::string& expression);

  /// Error: failure, where the page is no JSON or the expression fails; that of the receiver.
  Result<void> put_through(std::string_view page, const Receiver& receiver);

 private:
  explicit Filter(PipedProgram program) : program_(std::move(program)) {}
  /// What it says, up to the end of its answer.
  Result<void> hear(const Receiver& receiver);

  PipedProgram program_;  ///< its child is 0 once that was waited for
};

}  // namespace nexus::cli::jq
