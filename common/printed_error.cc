#include "common/printed_error.h"

#include "common/text.h"

namespace nexus {
namespace {

constexpr std::string_view kBeforeErrors = "nexusd: ";

ErrorCode code_for_exit(int exit_code) {
  for (const auto code : {ErrorCode::daemon_running, ErrorCode::vault_key_wrong, ErrorCode::usage})
    if (info(code).exit_code == exit_code) return code;
  return ErrorCode::daemon_unreachable;
}

}  // namespace

std::optional<Error> printed_error(std::string_view text, int exit_code) {
  const auto at = text.find(kBeforeErrors);
  if (at == std::string_view::npos) return std::nullopt;
  const auto line = text.substr(at + kBeforeErrors.size());
  Error error{code_for_exit(exit_code), std::string(line.substr(0, line.find('\n')))};
  if (const auto hint_at = line.find("\n  "); hint_at != std::string_view::npos)
    error.hint = trim(line.substr(hint_at + 3));
  return error;
}

}  // namespace nexus
