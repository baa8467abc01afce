#include "common/alias.h"

#include "common/text.h"

namespace nexus {

Result<void> check_alias(const std::string& alias) {
  constexpr auto allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@-";
  if (alias.empty() || alias.size() > 64 || alias[0] == '-' || alias.starts_with("conn_") ||
      alias.find_first_not_of(allowed) != std::string::npos)
    return Error{ErrorCode::invalid_field, "'" + printable(alias, 80) + "' cannot be an alias",
                 "use letters, digits and . _ @ -, at most 64 of them, and no conn_ in front"};
  return {};
}

}  // namespace nexus
