#pragma once

#include "common/secret.h"
#include "daemon/api/forwarding.h"
#include "daemon/http/message.h"

namespace nexus::api {

/// What a request to the proxy means: `/{connection}/{path}?{query}` or, as clients of a sidecar
/// send it, `/{provider}/{path}` with X-Nexus-Connection-ID, or the path alone with
/// X-Nexus-Provider beside it. Error: invalid_field.
Result<Meant> read_proxied(const http::Request& request);

/// Takes a key of ours out of a request, a running program's or an API key, from wherever a client
/// put it: it was given the key in the place of a credential, and sends it where that one would be,
/// in any header (as Basic's user or password, in a signature's Credential) or in the query. All of
/// them are taken out. Empty where there is none that reads like one.
Secret take_key(http::Request& request);

}  // namespace nexus::api
