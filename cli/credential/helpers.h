#pragma once

#include "cli/credential/helper.h"

namespace nexus::cli {

// Those that are run seldom enough for a program with all of the commands. A file each.
Result<int> erase_git_token(Context& context, const HelperArgs& args);

}  // namespace nexus::cli
