#pragma once

#include <optional>

#include "daemon/store/audit_chain.h"
#include "daemon/store/sqlite/database.h"

namespace nexus::sqlite {

/// Where the chain of the records that are there begins.
struct AuditAnchor {
  AuditPlace place;  ///< its first record is the next one
  AuditChain::Use use = AuditChain::Use::beginning;
};

/// Nothing where it is gone, or not what was written.
std::optional<AuditAnchor> read_anchor(Database& database, const AuditChain& chain);
void put_anchor(Database& database, const AuditChain& chain, const AuditAnchor& anchor);

}  // namespace nexus::sqlite
