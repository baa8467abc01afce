#pragma once

#include <functional>

#include "cli/context.h"
#include "common/error.h"

namespace CLI {
class App;
}

namespace nexus::cli {

/// What a command does once its arguments are parsed: the exit code, or the error to report.
using Action = std::function<Result<int>(Context&)>;

/// One command: its name, its help, and a function that declares its arguments and sets the action.
struct Command {
  const char* name;
  const char* alias;  ///< another name for it, "" for none
  const char* summary;
  void (*configure)(CLI::App& app, Action& action);
};

// One file in cli/commands each.
extern const Command alias_command;
extern const Command audit_command;
extern const Command connect_command;
extern const Command daemon_command;
extern const Command disconnect_command;
extern const Command key_command;
extern const Command list_command;
extern const Command provider_command;
extern const Command refresh_command;
extern const Command status_command;
extern const Command token_command;

}  // namespace nexus::cli
