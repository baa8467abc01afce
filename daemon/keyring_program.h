#pragma once

#include <string>
#include <vector>

namespace nexus {

/// nexus-keyring.
std::string keyring_program();

/// Whether it is that, told to get, put or forget the key of a vault.
bool is_keyring_command(const std::vector<std::string>& command);

}  // namespace nexus
