#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/error.h"

namespace nexus {

/// The append-only file of audit records (canonical JSON texts, see daemon/audit.h). It lives
/// beside the vault in a database of its own, so that its commits and the vault's never wait for
/// another.
class AuditLog {
 public:
  virtual ~AuditLog() = default;
  /// Appends all of them in one transaction, in order, or none. Thread-safe.
  virtual Result<void> append(const std::vector<std::string>& records) = 0;

  struct Filter {
    std::string event;    ///< "" for all
    std::string subject;  ///< a connection's id or a provider's name, "" for all
    std::optional<UnixTime> since;
    std::optional<UnixTime> until;
    std::optional<std::int64_t> before;  ///< only those whose sequence number is less
    std::int64_t limit = 50;
    std::int64_t offset = 0;
  };
  struct Entry {
    std::int64_t sequence = 0;
    std::string record;
  };
  /// Newest first. Thread-safe.
  virtual Result<std::vector<Entry>> find(const Filter& filter) = 0;
};

Result<std::unique_ptr<AuditLog>> open_sqlite_audit_log(const std::string& data_dir);

}  // namespace nexus
