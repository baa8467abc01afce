#include "cli/secret_reader.h"

#include "common/secret_fault.h"
#include "common/text.h"

namespace nexus::cli {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

}  // namespace

Result<Secret> take_secret(std::string_view raw, const std::string& source) {
  if (raw.starts_with(kByteOrderMark)) raw.remove_prefix(kByteOrderMark.size());
  const auto value = trim(raw);
  const bool has_lines = value.starts_with("-----BEGIN ") || value.starts_with('{');
  const auto fault = fault_of_secret(value, has_lines ? SecretForm::lines : SecretForm::line);
  if (fault.empty()) return Secret(value);
  const bool encoding = fault.find("UTF-8") != std::string::npos;
  return Error{ErrorCode::usage, source + " " + fault,
               encoding ? "save it as UTF-8" : "copy it again, without what cannot be seen in it"};
}

}  // namespace nexus::cli
