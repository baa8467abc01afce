#pragma once

#include <string>
#include <vector>

namespace nexus {

/// nexus-suspend.
std::string suspend_program();

/// Whether it is that, which is told nothing.
bool is_suspend_command(const std::vector<std::string>& command);

}  // namespace nexus
