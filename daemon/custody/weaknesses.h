#pragma once

#include <string>
#include <vector>

#include "common/api/vault_status.h"

namespace nexus {

/// What is weak about how the key of an open vault is kept, the worst first. `data_dir` is "" for
/// one in memory; `suspend_trouble`: why nobody says so before the machine sleeps, "" for no
/// reason.
std::vector<api::VaultWeakness> weaknesses_of_vault(KeySource source, const std::string& data_dir,
                                                    bool memory_locked,
                                                    const std::string& suspend_trouble);

}  // namespace nexus
