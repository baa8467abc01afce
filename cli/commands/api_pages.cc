#include "cli/commands/api_pages.h"

#include "common/text.h"

namespace nexus::cli {
namespace {

constexpr std::size_t kLargestPage = 64 * 1024 * 1024;

}  // namespace

Result<ApiPages> ApiPages::open(const Output& output, const ApiArgs& args) {
  // First what can be wrong without harm: the file is empty once it is open.
  std::optional<jq::Filter> filter;
  if (!args.jq.empty()) {
    NEXUS_TRY(auto started, jq::Filter::start(args.jq));
    filter.emplace(std::move(started));
  }
  NEXUS_TRY(auto body, AnswerBody::open(output, args.output));
  return ApiPages(output, args, std::move(filter), std::move(body));
}

Result<void> ApiPages::begin(const StreamHead& head) {
  is_json_ = head.header("content-type").find("json") != std::string::npos;
  is_error_ = head.status >= 400;
  const bool is_first = std::exchange(is_first_, false);
  if (!is_list_ || (filter_ && is_error_)) return {};
  return write(is_first ? "[" : ",");
}

Result<void> ApiPages::write(std::string_view piece) {
  if (!is_kept()) return body_.write(piece, is_json_ || is_list_);
  if (kept_.size() + piece.size() > kLargestPage)
    return Error{ErrorCode::failure, "the answer is too large for --jq: more than 64 MiB",
                 "ask for smaller pages, or give it to jq: nexus api ... | jq ..."};
  kept_ += piece;
  return {};
}

Result<void> ApiPages::end_page() {
  return is_kept() && !is_list_ ? put_through() : Result<void>();
}

Result<void> ApiPages::end() {
  if (is_list_ && !(filter_ && is_error_)) NEXUS_CHECK(write("]"));
  if (is_list_ && is_kept()) NEXUS_CHECK(put_through());
  body_.end();
  return {};
}

Result<void> ApiPages::put_through() {
  const auto page = std::exchange(kept_, {});
  return filter_->put_through(page,
                              {[&](std::string_view lines) { return body_.write(lines, false); },
                               [&](std::string_view words) {
                                 for (const auto& line : split(words, '\n')) output_->note(line);
                               }});
}

}  // namespace nexus::cli
