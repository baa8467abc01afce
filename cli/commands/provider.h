#pragma once

#include "cli/command.h"

namespace nexus::cli {

// The subcommands of `nexus provider` that have files of their own.
Command provider_add_command();
Command provider_catalog_command();
Command provider_plan_command();
Command provider_apply_command();
Command provider_export_command();

}  // namespace nexus::cli
