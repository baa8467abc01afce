#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cli/commands/api_call.h"
#include "cli/daemon_stream.h"
#include "cli/jq/filter.h"
#include "cli/output/answer_body.h"
#include "cli/output/output.h"
#include "common/error.h"

namespace nexus::cli {

/// What is printed of the bodies that the API answers with: they themselves as they come, one list
/// of them (--slurp), or what an expression makes of them (--jq). The body of an error is printed
/// as it is: an expression is meant for what was asked for.
class ApiPages {
 public:
  /// Error: usage, for an expression that is none and for a file that cannot be written.
  static Result<ApiPages> open(const Output& output, const ApiArgs& args);

  Result<void> begin(const StreamHead& head);
  /// Error: failure, also for a page that is too large for an expression.
  Result<void> write(std::string_view piece);
  Result<void> end_page();
  /// That there are no more.
  Result<void> end();

 private:
  ApiPages(const Output& output, const ApiArgs& args, std::optional<jq::Filter> filter,
           AnswerBody body)
      : output_(&output),
        is_list_(args.slurp),
        filter_(std::move(filter)),
        body_(std::move(body)) {}
  bool is_kept() const { return filter_ && !is_error_; }
  Result<void> put_through();

  const Output* output_;
  bool is_list_;
  std::optional<jq::Filter> filter_;
  AnswerBody body_;
  std::string kept_{};  ///< for the expression
  bool is_first_ = true;
  bool is_json_ = false;
  bool is_error_ = false;
};

}  // namespace nexus::cli
