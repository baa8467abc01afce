#pragma once

#include <string>

#include "common/error.h"
#include "common/secret.h"

namespace nexus::cli {

/// What a token payload holds under a name that `--field` takes, one of its credentials or of its
/// own members; for "" the access token, or the one secret of a static credential. Errors: usage,
/// where there is none, or more than one; failure, for an answer without a token.
Result<SecretText> credential_in(const SecretText& payload, const std::string& field);

}  // namespace nexus::cli
