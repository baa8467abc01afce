#include "daemon/keyring_program.h"

#include "daemon/process.h"

namespace nexus {

std::string keyring_program() {
  return own_helper("nexus-keyring");
}

bool is_keyring_command(const std::vector<std::string>& command) {
  if (command.size() < 4 || command[0] != keyring_program()) return false;
  return (command.size() == 4 && (command[1] == "get" || command[1] == "forget")) ||
         (command.size() == 5 && command[1] == "put");
}

}  // namespace nexus
