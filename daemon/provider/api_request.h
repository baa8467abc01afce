#pragma once

#include <string>

#include "common/error.h"
#include "daemon/net/request_head.h"
#include "daemon/provider/provider.h"
#include "daemon/strategy/credentials.h"

namespace nexus {

/// Where the API of a provider of static credentials is: the base URL that the provider or, for
/// self-hosted services, the credentials name; without a slash at its end, "" where nothing does.
/// Error: invalid_credentials for a base URL among these that is none.
Result<std::string> static_api_base(const Provider& provider, const Credentials& credentials);

/// Adds what the provider wants to have with every request (`request_headers`). Error:
/// invalid_credentials for a field that no header can carry.
Result<void> add_request_headers(RequestHead& request, const Provider& provider,
                                 const Credentials& credentials);

}  // namespace nexus
