#pragma once

#include <optional>
#include <string>

#include "common/error.h"
#include "daemon/store/store.h"

namespace nexus {

/// What stands between a caller and a connection's token, told in the same words everywhere.

Error no_such_connection(const std::string& reference);
Error needs_attention(const ConnectionRow& row, const std::string& cause);
/// The error of a connection that has no token to give, nothing for an active one.
std::optional<Error> not_active(const ConnectionRow& row);
/// The error with whose it is; PROVIDER and CONNECTION in its hint are named.
Error about(const ConnectionRow& row, Error error);

}  // namespace nexus
