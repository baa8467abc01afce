#pragma once

#include "common/config.h"
#include "daemon/audit.h"
#include "daemon/due.h"

namespace nexus {

/// Removes what the audit log has kept long enough, and what is too much for its file: the oldest
/// records first, some at once. What was removed is itself on record. One thread at a time.
class AuditRetention {
 public:
  AuditRetention(AuditLog& log, Audit& audit, Due& due, const AuditConfig& config, Clock clock,
                 Clock wall_clock);
  ~AuditRetention();
  AuditRetention(const AuditRetention&) = delete;
  AuditRetention& operator=(const AuditRetention&) = delete;

  /// Says when there is something to remove (Due::What::audit_retention), from now on also as the
  /// log grows.
  void start();
  /// From here on the log's growth is nobody's news: what would be told of it may be gone.
  void stop();
  /// Removes some of it, or gives back some of the space. Says when it is to be called next.
  void sweep();

 private:
  /// Why records go.
  enum class Cause { age, size };

  void expect_next(UnixTime not_before);
  Result<bool> is_too_large();
  /// Whether it was made so long ago. The time of one that cannot be read, or was dated by a clock
  /// that was ahead, nobody knows.
  bool has_outlived(const AuditLog::Age& record) const;
  /// How many of the oldest go.
  std::size_t outlived_of(const std::vector<AuditLog::Age>& oldest) const;
  Result<bool> prune();
  Result<void> remove(const std::vector<AuditLog::Age>& oldest, std::size_t count, Cause cause);
  Result<bool> work();

  AuditLog& log_;
  Audit& audit_;
  Due& due_;
  const std::int64_t keep_days_;
  const std::int64_t max_mib_;
  Clock clock_;
  Clock wall_clock_;
  UnixTime settled_at_ = 0;  ///< when the wall clock is to be believed
};

}  // namespace nexus
