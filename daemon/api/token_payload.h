#pragma once

#include "common/clock.h"
#include "common/secret.h"
#include "daemon/token/tokens.h"

namespace nexus::api {

/// The answer of /v1/token and /v1/refresh (nexus-api(7), CREDENTIALS): `strategy`,
/// `credentials` and `expires_at` as Unix seconds, and the same flat for clients that read it
/// there. Static credentials: `strategy` with its `config`, and the captured fields.
SecretText token_payload(const FetchedToken& token, UnixTime now);

/// The same for callers that ask for the form the Bridge takes: an api_key's strategy is named
/// header or query_param, and the one secret of such a strategy is also the flat `access_token`:
/// some clients read only that.
SecretText bridge_payload(const FetchedToken& token, UnixTime now);

/// The answer of /v1/resolve: the Bridge's form with `expires_at` as an RFC 3339 text, because the
/// clients' caches read nothing else there.
SecretText resolve_payload(const FetchedToken& token, UnixTime now);

}  // namespace nexus::api
