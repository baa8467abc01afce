#pragma once

#include <string>

#include "common/error.h"
#include "daemon/provider/provider.h"
#include "daemon/store/store.h"

namespace nexus {

// A provider's api_base_url may have places for what each token's answer tells (the setting
// token_fields): `{instance_url}/services` for a whole URL, `https://{host}/api` for a host,
// `https://{dc}.api.example.com` for a part of one, `https://api.example.com/{site}` for a segment
// of the path.

/// Error: invalid_field for an api_base_url that is none, or that lets an answer decide more.
Result<void> check_api_base(const Provider& provider);

/// Where the connection's API is, without a slash at its end. Errors: provider_misconfigured where
/// nothing says it, provider_protocol where the provider has not told what it hangs on, or told
/// what would lead out of its place.
Result<std::string> api_base_of(const Provider& provider, const ConnectionRow& connection);

}  // namespace nexus
