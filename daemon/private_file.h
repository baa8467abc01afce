#pragma once

#include <string>

#include "common/error.h"

namespace nexus {

/// Whose file it may be. What an administrator gives out (a certificate's key) is root's at times.
enum class Owner { this_user, this_user_or_root };

/// That a file with secrets is a regular one which no other user can read or write; a group may
/// read what is root's. One that is not there is as well. `what` names it ("the vault").
/// Error: vault_unusable.
Result<void> check_private(const std::string& what, const std::string& path,
                           Owner owner = Owner::this_user);

/// The same of a database with what SQLite keeps beside it, and that it can be written.
Result<void> check_private_database(const std::string& what, const std::string& path);

}  // namespace nexus
