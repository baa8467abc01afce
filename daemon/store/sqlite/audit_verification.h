#pragma once

#include <atomic>

#include "common/api/audit_verdict.h"
#include "daemon/store/audit_chain.h"
#include "daemon/store/sqlite/database.h"

namespace nexus::sqlite {

/// Compares all records with their codes and the chain, some at a time: nobody waits for it. `end`
/// is where the log had come to before.
api::AuditVerdict verify_audit(Readers& readers, const AuditChain& chain, const AuditPlace& end,
                               const std::atomic<bool>& stop);

}  // namespace nexus::sqlite
