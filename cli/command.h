#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "cli/context.h"
#include "cli/session.h"
#include "common/arguments.h"
#include "common/error.h"

namespace nexus::cli {

/// What a command does once its arguments are parsed: the exit code, or the error to report.
using Action = std::function<Result<int>(Context&)>;

/// What a command does that has to work whatever is wrong with the settings, and reads them itself.
using UnsettledAction = std::function<Result<int>(const GlobalOptions&, Output&)>;

/// One command: what it is called, what it takes and what it does with that.
struct Command {
  const char* name;
  const char* summary;
  std::vector<Argument> arguments{};  ///< their values live in what the action holds
  Action action{};
  UnsettledAction unsettled_action{};  ///< in place of the other
  const char* alias = "";              ///< another name for it, "" for none
  const char* footer = "";
  std::vector<std::string> examples{};
  std::vector<Command> commands{};           ///< below it: where one is given it acts, else this
  std::vector<std::string>* runs = nullptr;  ///< the words behind "--"; see CommandLine
  std::map<std::string, std::string> known_as{};  ///< options of other programs; see CommandLine
};

// One file in cli/commands each.
Command access_command();
Command alias_command();
Command api_command();
Command audit_command();
Command completion_command();
Command connect_command();
Command credential_command();
Command daemon_command();
Command disconnect_command();
Command doctor_command();
Command exec_command();
Command export_command();
Command import_command();
Command key_command();
Command list_command();
Command lock_command();
Command provider_command();
Command proxy_command();
Command prune_command();
Command refresh_command();
Command status_command();
Command token_command();
Command unlock_command();
Command vault_command();

}  // namespace nexus::cli
