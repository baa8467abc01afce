#include "daemon/suspend_program.h"

#include "daemon/process.h"

namespace nexus {

std::string suspend_program() {
  return own_helper("nexus-suspend");
}

bool is_suspend_command(const std::vector<std::string>& command) {
  return command.size() == 1 && command[0] == suspend_program();
}

}  // namespace nexus
