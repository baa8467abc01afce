#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/api/audit_verdict.h"
#include "common/clock.h"
#include "common/error.h"
#include "common/secret.h"
#include "daemon/vault/vault.h"

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
  /// Reads all of it, beside those that write. Ends early, as if there were no more, once `stop` is
  /// set. Thread-safe.
  virtual Result<api::AuditVerdict> verify(const std::atomic<bool>& stop) = 0;
  /// All of it as it is at one moment, in a directory that has none yet, beside those that write.
  virtual Result<void> copy_into(const std::string& directory) = 0;
  /// What was missing when it was opened, in words, to be put on record; "" for nothing.
  virtual const std::string& trouble() const = 0;
};

/// What the audit log is authenticated with.
struct AuditKeys {
  const Secret& row_key;    ///< Vault::audit_row_key, for each record's code
  const Secret& audit_key;  ///< Vault::audit_key, for the chain
};

/// `stage`: the vault's. Records that an older nexusd wrote without codes, or without a chain, are
/// taken as they are while the vault is at that stage; afterwards they are not what was written.
Result<std::unique_ptr<AuditLog>> open_sqlite_audit_log(const std::string& data_dir,
                                                        const AuditKeys& keys, VaultStage stage);
/// What that would say of it, while nobody else has it open. Nothing is made or changed.
Result<void> look_into_sqlite_audit_log(const std::string& data_dir);
/// One that is in this process's memory and nowhere else, and empty.
Result<std::unique_ptr<AuditLog>> open_sqlite_audit_log_in_memory(const AuditKeys& keys);

}  // namespace nexus
