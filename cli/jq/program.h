#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "common/error.h"

struct jq_state;

namespace nexus::cli::jq {

/// A jq expression as libjq has compiled it. What its builtins `debug` and `stderr` say goes to
/// stderr. Whatever is wrong with the memory of libjq ends the process: see nexus-jq.
class Program {
 public:
  /// What is made of a value, without a line end; an error ends the run.
  using Results = std::function<Result<void>(std::string_view)>;

  /// Error: usage, with what libjq says of it.
  static Result<Program> compile(const std::string& expression);

  /// Each of the JSON values in `text` (RFC 8259, one after the other, at most 256 deep) goes
  /// through it: a text among the results is told as it is, everything else as JSON. Nothing is
  /// told before all of `text` is read. `halt` ends the run.
  /// Error: failure, where `text` is no JSON or the expression fails; that of `results`.
  Result<void> run(std::string_view text, const Results& results);

 private:
  struct TearDown {
    void operator()(jq_state* state) const;
  };
  explicit Program(std::unique_ptr<jq_state, TearDown> state) : state_(std::move(state)) {}

  std::unique_ptr<jq_state, TearDown> state_;
};

}  // namespace nexus::cli::jq
