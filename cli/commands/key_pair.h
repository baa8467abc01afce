#pragma once

#include "cli/command.h"

namespace nexus::cli {

/// `nexus key pair`: whom bundles can be sealed for (nexus export --to).
Command key_pair_command();

}  // namespace nexus::cli
