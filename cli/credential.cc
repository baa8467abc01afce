#include "cli/credential.h"

#include "cli/static_credentials.h"
#include "common/api/token_payload.h"
#include "common/text.h"

namespace nexus::cli {

Result<SecretText> credential_in(const SecretText& text, const std::string& field) {
  if (field.empty()) {
    if (api::is_static_payload(text)) return static_secret_in(text);
    if (auto token = api::access_token_in(text)) return *std::move(token);
    return Error{ErrorCode::failure, "the daemon's answer holds no access token",
                 "a daemon of another version may be running; run: nexus daemon stop"};
  }
  const api::TokenPayload payload(text);
  if (auto value = payload.credential(field)) return *std::move(value);
  if (auto value = payload.member(field)) return *std::move(value);
  if (auto value = payload.token_field(field)) return *std::move(value);
  return Error{ErrorCode::usage, "these credentials have no field '" + printable(field, 60) + "'",
               "nexus token CONN --format json shows those there are"};
}

}  // namespace nexus::cli
