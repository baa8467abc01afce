#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/api/words.h"
#include "common/clock.h"
#include "common/error.h"
#include "daemon/caller.h"
#include "daemon/store/audit_log.h"

namespace nexus {

/// One thing that happened. No field ever holds a secret.
struct AuditEntry {
  AuditEvent event;
  AuditOutcome outcome = AuditOutcome::success;
  std::string_view connection_id{};
  std::string_view provider{};
  std::string_view detail{};
  std::optional<std::int64_t> count{};  ///< of what it stands for, where that is not one thing
};

/// Writes what happened before the answer that tells it leaves the daemon.
class Audit {
 public:
  Audit(AuditLog& log, Clock clock) : log_(log), clock_(std::move(clock)) {}

  /// The canonical record: a JSON object with these members in this order: v, at, event,
  /// outcome, connection, provider, via, uid, pid, detail, request and, where they are known, peer,
  /// key, agent, exe, count. A later chain hashes this text.
  std::string record(const AuditEntry& entry, const Caller& caller) const;

  /// Commits records now: all or none. Error: audit_unavailable.
  Result<void> commit(const std::vector<std::string>& records) {
    auto committed = log_.append(records);
    writable_ = committed.ok();
    return committed;
  }
  Result<void> commit(const AuditEntry& entry, const Caller& caller) {
    return commit({record(entry, caller)});
  }
  /// Whether the last commit went well. Error: audit_unavailable.
  Result<void> writable() const {
    if (writable_) return {};
    return Error{ErrorCode::audit_unavailable, "the audit log could not be written",
                 "free some disk space or mend the file"};
  }
  Result<std::vector<AuditLog::Entry>> find(const AuditLog::Filter& filter) {
    return log_.find(filter);
  }
  /// Compares all that is on record with the chain: seconds, where it is much.
  Result<api::AuditVerdict> verify() { return log_.verify(stopping_); }
  /// Puts on record what was missing when the log was opened.
  void tell_trouble();
  /// Has nobody wait for a comparison any longer.
  void stop() { stopping_ = true; }

 private:
  AuditLog& log_;
  Clock clock_;
  std::atomic<bool> writable_{true};
  std::atomic<bool> stopping_{false};
};

}  // namespace nexus
