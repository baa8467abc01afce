#pragma once

#include "cli/command.h"

namespace nexus::cli {

// The subcommands of `nexus provider` that have files of their own.
void configure_provider_add(CLI::App& app, Action& action);
void configure_provider_catalog(CLI::App& app, Action& action);
void configure_provider_plan(CLI::App& app, Action& action);
void configure_provider_apply(CLI::App& app, Action& action);
Result<int> run_provider_export(Context& context);

}  // namespace nexus::cli
