#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/error.h"

namespace nexus {

/// The claims of a verified id_token that nexusd keeps.
struct IdTokenClaims {
  std::string issuer;
  std::string subject;
  std::string account;  ///< email, preferred_username or name, for people; "" when there is none
};

/// What an id_token has to say (OpenID Connect Core 3.1.3.7, 12.2). All of it comes from the
/// configuration and the flow, nothing from the token.
struct IdTokenExpectation {
  std::string issuer;
  std::string client_id;
  std::vector<std::string> algorithms;  ///< as advertised; empty means RS256 alone
  std::optional<std::string> nonce;     ///< nothing after a refresh: then absent is fine too
  std::string nonce_if_present;         ///< after a refresh: what a nonce has to be, where sent
  std::string subject;                  ///< after a refresh: who it has to be; "" for anyone
  std::string_view access_token;        ///< for at_hash
  UnixTime now = 0;
};

enum class IdTokenFault {
  refused,      ///< the token is not acceptable
  unknown_key,  ///< no key of the set fits its kid: a fresh key set may help
};

struct IdTokenResult {
  std::optional<IdTokenClaims> claims;  ///< set when the token is good
  IdTokenFault fault = IdTokenFault::refused;
  std::string reason;
};

/// Verifies signature (RS256, PS256, ES256, EdDSA with the keys of `jwks`, a JWK Set document) and
/// claims. Clocks may differ by 60 s. Key members inside the token (jwk, jku, x5u, x5c) are
/// ignored.
IdTokenResult verify_id_token(std::string_view token, std::string_view jwks,
                              const IdTokenExpectation& expected);

}  // namespace nexus
