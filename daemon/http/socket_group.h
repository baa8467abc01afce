#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "common/error.h"

namespace nexus::http {

/// Lets the group write to a socket of ours, and nobody else but this user; nothing: this user
/// alone. Errors: failure where it may not be given to the group, or where its members could never
/// get to it, with the way out.
Result<void> give_socket(const std::string& path, const std::optional<gid_t>& group);

/// The same question of a socket that was passed on, which is as whoever made it has made it.
Result<void> check_passed_socket(const std::string& path, gid_t group);

}  // namespace nexus::http
