#pragma once

#include <string>

#include "common/clock.h"
#include "common/error.h"
#include "common/secret.h"

namespace nexus {

/// A JWT by which a client says who it is or for whom it asks (RFC 7523 3): signed with its private
/// key, good for a minute, never used twice.
struct Assertion {
  std::string issuer;
  std::string subject;
  std::string audience;  ///< one text, never a list
  std::string scopes{};  ///< the claim that Google and others read, "" to leave it out
  std::string key_id{};  ///< "" for the key's thumbprint (RFC 7638)
  bool pss = false;      ///< RSA keys: PS256 instead of RS256
};

/// `private_key` is PEM. Errors: provider_misconfigured when it cannot be used.
Result<Secret> sign_assertion(const Assertion& assertion, const Secret& private_key, UnixTime now);

}  // namespace nexus
