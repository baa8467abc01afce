#pragma once

#include "common/error.h"
#include "daemon/caller.h"

namespace nexus {

/// That it is nexusd's own user who asks, or root: what runs programs as that user, or decides over
/// everything that is kept, is not for a group that may ask for anything else. Error:
/// access_denied.
Result<void> check_owner(const Caller& caller);

}  // namespace nexus
