#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/error.h"
#include "common/secret.h"

namespace nexus {

/// The file of audit records (canonical JSON texts, see daemon/audit.h). It lives
/// beside the vault in a database of its own, so that its commits and the vault's never wait for
/// another. Nothing changes a record; the oldest ones go when they have been kept long enough.
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
    std::string record;  ///< "" where it is not what was written
  };
  /// Newest first. Thread-safe.
  virtual Result<std::vector<Entry>> find(const Filter& filter) = 0;

  struct Age {
    std::int64_t sequence = 0;
    std::optional<UnixTime> at;  ///< nothing where the record cannot be read
  };
  /// So many records at the most, oldest first.
  virtual Result<std::vector<Age>> oldest(std::int64_t limit) = 0;
  /// Bytes that the records take; the file may be larger.
  virtual Result<std::int64_t> size() = 0;
  /// Removes a record and all before it, and appends the one that says so: both or nothing.
  virtual Result<void> remove_until(std::int64_t sequence, const std::string& record) = 0;
  /// Gives some of what removed records have left free back to the file system; false when there is
  /// no more of it.
  virtual Result<bool> give_back_space() = 0;
  /// Has `grown` called, on a thread of the log's, whenever some MiB have been appended. It must
  /// not wait; once the next one is set it is called no more.
  virtual void on_growth(std::function<void()> grown) = 0;
};

/// `row_key`: the vault's, for the codes of records (Vault::row_key). `adopt`: those without one,
/// an older nexusd's, are taken as they are; else they are not what was written.
Result<std::unique_ptr<AuditLog>> open_sqlite_audit_log(const std::string& data_dir,
                                                        const Secret& row_key, bool adopt);
/// One that is in this process's memory and nowhere else, and empty.
Result<std::unique_ptr<AuditLog>> open_sqlite_audit_log_in_memory(const Secret& row_key);

}  // namespace nexus
