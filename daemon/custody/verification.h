#pragma once

#include <atomic>

#include "common/api/vault_status.h"
#include "common/error.h"
#include "daemon/audit.h"
#include "daemon/store/store.h"

namespace nexus {

/// Opens every sealed value, compares every row with its code, has SQLite check both files and the
/// audit log compared with its chain: everything that is not as it was written, in words. Changes
/// nothing; seconds, where there is much. `data_dir` is "" for a vault in memory. Ends early, as if
/// there were no more, once `stop` is set.
Result<api::VaultVerdict> verify_vault(Store& store, const Vault& vault, Audit& audit,
                                       const std::string& data_dir, const std::atomic<bool>& stop);

}  // namespace nexus
