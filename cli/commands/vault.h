#pragma once

#include <string>

#include "cli/command.h"
#include "cli/context.h"
#include "common/api/vault_status.h"
#include "common/secret.h"

namespace nexus::cli {

/// From a file or stdin, or typed twice where a person can be asked.
Result<Secret> new_passphrase(const std::string& file, const std::string& what);

/// `current_passphrase`, where the vault opens with one or a file with it was named.
Result<void> write_current_passphrase(SecretJsonWriter& to, const api::VaultStatus& vault,
                                      const std::string& file);

Command vault_backup_command();
Command vault_restore_command();

}  // namespace nexus::cli
