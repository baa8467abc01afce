#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "common/error.h"
#include "common/secret.h"
#include "daemon/provider/provider.h"

namespace nexus {

/// A provider as it comes from outside: `{…}` or `{"profile":{…}}`; unknown fields are ignored.
struct ProviderRegistration {
  Provider provider;
  /// Its private key for a client that signs. Empty: it has none; nothing: it was not said.
  std::optional<Secret> client_secret;
  bool replace = false;
};

/// Errors: invalid_field, missing_fields, unsupported_auth_type, each naming the field. The secret
/// is taken out of `body` and wiped there, also one that came as `private_key` (PEM) or within
/// `service_account` (the JSON file that Google hands out, as an object or as its text), which
/// brings client, token endpoint and grant with it. `has_secret`: there is one already, which stays
/// where the body does not mention it.
Result<ProviderRegistration> read_registration(nlohmann::json& body, bool has_secret = false);

}  // namespace nexus
