#pragma once

#include <optional>

#include "cli/context.h"
#include "common/clock.h"
#include "common/error.h"
#include "common/secret.h"

namespace nexus::cli {

struct IdToken {
  SecretText text;
  std::optional<UnixTime> expires_at;  ///< by its own word, which may be before the access token's
};

/// A connection's id_token that is good now: that among its credentials, or a new one, for an
/// access token may outlive the one that it came with. Nothing where it has none. Errors: those of
/// refreshing; usage, where the provider gives no new one.
Result<std::optional<IdToken>> good_id_token(Context& context, const std::string& connection,
                                             const SecretText& credentials);

}  // namespace nexus::cli
