#include "daemon/oauth/client_assertion.h"

#include "common/json.h"
#include "daemon/crypto/encoding.h"
#include "daemon/crypto/signing_key.h"

namespace nexus {
namespace {

/// H2. Clocks differ: what was issued a little ago is not from the future anywhere.
constexpr UnixTime kLife = 60;
constexpr UnixTime kIssuedBefore = 5;

}  // namespace

Result<Secret> sign_assertion(const Assertion& assertion, const Secret& private_key, UnixTime now) {
  const auto unusable = [](const Error& error) {
    return Error{ErrorCode::provider_misconfigured, error.message,
                 "give another one: nexus provider edit PROVIDER --private-key-file FILE"};
  };
  const auto key = SigningKey::from_pem(private_key);
  if (!key) return unusable(key.error());
  JsonWriter header;
  header.begin()
      .member("alg", key->algorithm(assertion.pss))
      .member("typ", "JWT")
      .member("kid", assertion.key_id.empty() ? key->thumbprint() : assertion.key_id)
      .end();
  JsonWriter claims;
  claims.begin()
      .member("iss", assertion.issuer)
      .member("sub", assertion.subject)
      .member("aud", assertion.audience)
      .member("jti", random_token(16))
      .member("iat", now - kIssuedBefore)
      .member("exp", now + kLife - kIssuedBefore);
  if (!assertion.scopes.empty()) claims.member("scope", assertion.scopes);
  claims.end();
  SecretText jwt(base64url(header.take()));
  jwt.append(".").append(base64url(claims.take()));
  const auto signature = key->sign(jwt, assertion.pss);
  if (!signature) return unusable(signature.error());
  jwt.append(".").append(base64url(*signature));
  return Secret(jwt);
}

}  // namespace nexus
