#include "cli/output/answer_body.h"

#include <fcntl.h>

#include <cerrno>
#include <cstring>

#include "common/text.h"

namespace nexus::cli {

Result<AnswerBody> AnswerBody::open(const Output& output, const std::string& file) {
  Descriptor none(-1);
  if (file.empty() || file == "-") return AnswerBody(output, file, std::move(none));
  Descriptor fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (fd.get() >= 0) return AnswerBody(output, file, std::move(fd));
  return Error{ErrorCode::usage,
               "cannot write " + printable(file, 200) + ": " + std::strerror(errno),
               "name a file that can be written"};
}

Result<void> AnswerBody::write(std::string_view piece, bool is_json) {
  if (fd_.get() >= 0) {
    if (write_all(fd_.get(), piece)) return {};
    return Error{ErrorCode::failure,
                 "cannot write " + printable(file_, 200) + ": " + std::strerror(errno),
                 "what is there is not all of the answer"};
  }
  if (is_shown_) {
    cut_.append(piece);
    const auto whole = whole_characters(cut_);
    show(whole, is_json);
    cut_.erase(0, whole.size());
  } else {
    output_->raw(piece);
  }
  return output_->written();
}

void AnswerBody::end() {
  if (!is_shown_) return;
  show(printable(cut_), false);
  if (in_line_) output_->raw("\n");
}

void AnswerBody::show(std::string_view text, bool is_json) {
  if (text.empty()) return;
  in_line_ = !text.ends_with('\n');
  is_json ? output_->json_part(text) : output_->raw(printable_lines(text));
}

}  // namespace nexus::cli
