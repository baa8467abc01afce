#pragma once

#include <string>

#include "common/api/backup.h"
#include "common/config.h"
#include "common/error.h"
#include "daemon/crypto/envelope.h"

namespace nexus {

struct RestoreOrder {
  std::string file;
  EnvelopeOpener opener;
  Secret vault_passphrase;  ///< of the vault that is here or is to be, where one opens it
  bool replace = false;     ///< also where something is kept here
  bool new_key = false;     ///< the vault opens with another key than the one that is here
};

/// Puts the vault of a backup into the data directory, which no nexusd serves. All of it is
/// unpacked and verified first, and takes its place in one step; killed before, what was there is
/// there, and afterwards it lies beside it. It opens with the key of the vault that was there or,
/// where there is none or it is asked for, of a new one.
///
/// Nothing in it is sent to a provider by itself until somebody says so (Trust): its refresh tokens
/// may be ones that providers have replaced since.
///
/// Errors: those of unpack_backup; invalid_state where something is kept here, saying what the
/// backup has not; daemon_running; vault_locked where a passphrase is needed; those of the vault,
/// the store and the key.
Result<api::RestoredVault> restore_vault(const Config& config, const RestoreOrder& order);

/// What that would come to, also while a nexusd serves the directory. Nothing is changed.
Result<api::RestoredVault> check_restore(const Config& config, const RestoreOrder& order);

/// What nexusd, or a restore, has left that was killed: a vault that was verified is put in place,
/// and what was not finished goes. Before anything in the data directory is opened. Error:
/// vault_unusable.
Result<void> settle_backups(const std::string& data_dir);

}  // namespace nexus
