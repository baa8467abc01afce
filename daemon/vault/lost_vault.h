#pragma once

#include <string>

#include "common/error.h"

namespace nexus {

/// A vault that is gone is not replaced by a new one while its key file or its audit log is there:
/// somebody moved it, or restored half a backup. Asked before the store makes its file.
/// Error: vault_unusable.
Result<void> refuse_lost_vault(const std::string& data_dir);

/// The same for a database that is there and has no vault in it. The key file alone says nothing
/// then: a first start that was interrupted had made it.
Result<void> refuse_emptied_vault(const std::string& data_dir);

}  // namespace nexus
