#include "daemon/owner.h"

#include <unistd.h>

namespace nexus {

Result<void> check_owner(const Caller& caller) {
  if (caller.uid == static_cast<std::int64_t>(geteuid()) || caller.uid == 0) return {};
  return Error{ErrorCode::access_denied, "only nexusd's own user may do that",
               "ask whoever runs it"};
}

}  // namespace nexus
