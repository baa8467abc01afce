#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/error.h"

namespace nexus {

/// The append-only file of audit records (canonical JSON texts, see service/audit.h). It lives
/// beside the vault in a database of its own, so that its commits and the vault's never wait for
/// another.
class AuditLog {
 public:
  virtual ~AuditLog() = default;
  /// Appends all of them in one transaction, in order, or none. Thread-safe.
  virtual Result<void> append(const std::vector<std::string>& records) = 0;
};

Result<std::unique_ptr<AuditLog>> open_sqlite_audit_log(const std::string& data_dir);

}  // namespace nexus
