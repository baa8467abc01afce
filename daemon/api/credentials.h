#pragma once

#include "common/error.h"
#include "common/secret.h"
#include "daemon/http/message.h"

namespace nexus::api {

/// Takes the API key out of a request: `X-API-Key: KEY`, `Authorization: Bearer KEY`, or `Basic`
/// with the key as password (or, with an empty password, as user name: `curl -u KEY:`). Empty where
/// none is sent. Error: invalid_api_key when a header comes twice or cannot be read.
Result<Secret> take_api_key(http::Request& request);

}  // namespace nexus::api
