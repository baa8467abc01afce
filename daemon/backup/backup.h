#pragma once

#include <string>

#include "common/api/backup.h"
#include "common/clock.h"
#include "common/error.h"
#include "common/secret.h"
#include "daemon/audit.h"
#include "daemon/custody/root_keys.h"
#include "daemon/store/audit_log.h"
#include "daemon/store/store.h"

namespace nexus {

/// A backup that somebody wants, for a public key or with a passphrase.
struct BackupOrder {
  std::string public_key;  ///< "" where there is a passphrase
  Secret passphrase;
  Secret current_passphrase;  ///< that of the vault, where one opens it
};

/// Makes backups of the vault and its audit log, while both are in use: each as it is at one
/// moment, in one sealed file. The vault in it opens with a key of the backup's own, so that it can
/// be restored where nothing of this machine is left. Thread-safe.
class Backups {
 public:
  Backups(AuditLog& audit_log, RootKeys& keys, Audit& audit, Clock wall_clock)
      : audit_log_(audit_log), keys_(keys), audit_(audit), wall_clock_(std::move(wall_clock)) {}

  /// The file is in the data directory, `vault.backup-ID`, until whoever asked has taken it.
  /// Seconds, where there is much. On record first. Errors: those of RootKeys::present,
  /// envelope_key_for and envelope_key_with; invalid_state while the vault is rotated;
  /// internal_error, as when the disk is full.
  Result<api::VaultBackup> make(const BackupOrder& order, const Caller& caller);

 private:
  Result<void> copy_into(const std::string& directory, const Secret& current,
                         const Secret& own_key);

  AuditLog& audit_log_;
  RootKeys& keys_;
  Audit& audit_;
  Clock wall_clock_;
};

}  // namespace nexus
