#include "daemon/keyring_program.h"

#include <unistd.h>

#include "daemon/process.h"

namespace nexus {

std::string keyring_program() {
  const auto own = own_program();
  const auto directory = own.substr(0, own.rfind('/'));
  const auto beside = directory + "/nexus-keyring";
  return access(beside.c_str(), X_OK) == 0 ? beside : directory + "/../libexec/nexus/nexus-keyring";
}

bool is_keyring_command(const std::vector<std::string>& command) {
  if (command.size() < 4 || command[0] != keyring_program()) return false;
  return (command.size() == 4 && (command[1] == "get" || command[1] == "forget")) ||
         (command.size() == 5 && command[1] == "put");
}

}  // namespace nexus
