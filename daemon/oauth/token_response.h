#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/clock.h"
#include "common/error.h"
#include "common/json.h"
#include "common/secret.h"
#include "daemon/oauth/dialect.h"

namespace nexus {

/// A successful answer of a token endpoint (RFC 6749 5.1), checked.
struct TokenResponse {
  Secret access_token;
  Secret refresh_token;  ///< empty when the answer had none: the old one stays
  Secret id_token;       ///< empty when the answer had none; not yet verified
  std::string token_type = "Bearer";
  std::optional<std::int64_t> expires_in;  ///< seconds; nothing when the answer does not say
  std::optional<std::string> scope;        ///< as granted, where it was told
  std::string token_fields;                ///< what it told that the dialect names (token_fields.h)
};

/// Whether a text may be a token: the characters of RFC 6749, and not too many.
bool is_token(std::string_view text);

/// Takes the refresh token out of an answer, whatever else is wrong with it: one that replaces
/// another cannot be had again. Empty where there is none. Error: provider_protocol for one that
/// RFC 6749 does not allow.
Result<Secret> take_refresh_token(Json& document, const Dialect& dialect);

/// Longest life that is believed, in seconds.
constexpr std::int64_t kMaxExpiresIn = 365 * 24 * 3600;

/// Error: provider_protocol for anything that neither RFC 6749 5.1 nor the dialect allows. The
/// message never quotes the document. `document` is emptied of its tokens. `now` by the wall clock,
/// for answers that say when a token ends instead of how long it lives.
Result<TokenResponse> read_token_response(Json& document, const Dialect& dialect, UnixTime now);

/// A token endpoint's answer as an object: JSON, or a form where `form` says so (GitHub's style).
/// Errors: invalid_json.
Result<JsonDocument> parse_token_answer(std::string_view body, bool form);

}  // namespace nexus
