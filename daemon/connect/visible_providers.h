#pragma once

#include <string>

#include "common/error.h"
#include "daemon/caller.h"
#include "daemon/provider/providers.h"

namespace nexus {

/// A provider as a caller may name it: one that the caller's key may not see is told of as one that
/// is not there. Errors: provider_not_found, internal_error for one whose record is damaged.
Result<Provider> visible_provider(Providers& providers, const Caller& caller,
                                  const std::string& id);
Result<Provider> visible_provider_named(Providers& providers, const Caller& caller,
                                        const std::string& name);

}  // namespace nexus
