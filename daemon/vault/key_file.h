#pragma once

#include <optional>
#include <string>

#include "common/error.h"
#include "common/secret.h"

namespace nexus {

/// `vault.key` in the data directory: the root key, for whoever may read this user's files.
std::string key_file_in(const std::string& data_dir);

/// One that is to take its place once the vault opens with it.
std::string coming_key_file_in(const std::string& data_dir);
/// It does, on stable storage. Error: vault_unusable.
Result<void> put_key_file_in_place(const std::string& data_dir);

/// The key in it; nothing where there is no such file. Errors: vault_key_wrong for what is no key,
/// vault_unusable (permissions, I/O).
Result<std::optional<Secret>> read_key_file(const std::string& path, bool vault_exists);

/// Makes it, on stable storage. Error: vault_unusable.
Result<void> make_key_file(const std::string& path, const Secret& key);

/// `nexusd.vault.key` among the credentials that the service manager gives (CREDENTIALS_DIRECTORY).
/// What systemd or a container's secrets bring along is root's at times, and at times a link.
Result<std::optional<Secret>> read_key_credential(bool vault_exists);

}  // namespace nexus
