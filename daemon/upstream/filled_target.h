#pragma once

#include <string>

#include "common/error.h"
#include "daemon/strategy/credentials.h"

namespace nexus {

/// Some APIs want the credential in the path, and the caller says where: `/bot{api_key}/getMe`. In
/// one place, and never in the query, which many an answer tells back; nor in the host.
/// Error: invalid_field for a name that is none of the credentials, and for a second place.
Result<std::string> filled_target(const std::string& target, const Credentials& credentials);

}  // namespace nexus
