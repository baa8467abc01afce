#pragma once

#include "cli/command.h"

namespace nexus::cli {

/// `nexus audit verify`: 0 where all is as it was written, else 1.
Result<int> verify_audit_log(Context& context);

}  // namespace nexus::cli
