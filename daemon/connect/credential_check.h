#pragma once

#include <string>

#include "common/clock.h"
#include "common/error.h"
#include "daemon/net/http_client.h"
#include "daemon/provider/provider.h"

namespace nexus {

/// Asks the provider whether it takes these credentials, by the request that its entry names:
/// GET {api_base_url}{user_info_endpoint}, where `{field}` stands for a captured field, with the
/// strategy applied and the setting request_headers added. The setting validation may say `skip`,
/// other statuses that mean no, and texts whose presence or absence in the answer does. Gives the
/// account that the answer tells, "" for none.
///
/// Errors: invalid_credentials (the provider says no, or a value cannot travel),
/// provider_not_validatable (the entry does not say how), upstream_error and upstream_timeout (it
/// cannot be asked now). Nothing of the answer or of the credentials is in a message.
Result<std::string> ask_provider(const Provider& provider, const Credentials& credentials,
                                 HttpClient& http, UnixTime now);

}  // namespace nexus
