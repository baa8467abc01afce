#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/api/provider_profile.h"
#include "common/api/reader.h"
#include "common/error.h"
#include "common/json.h"

namespace nexus::api {

/// Whether a browser comes back to a redirect URI of ours; `grant_type` as on the wire.
inline bool needs_redirect(AuthType type, const std::string& grant_type) {
  return type == AuthType::oauth2 && (grant_type.empty() || grant_type == "authorization_code");
}

/// A registered provider as /v1/providers tells it: the profile without its secret.
struct Provider : ProviderProfile {
  std::string grant_type;                     ///< "" for authorization_code
  std::map<std::string, std::string> params;  ///< each as JSON
  std::string redirect_uri;
  std::string client_secret_fingerprint;  ///< "" without a secret
  std::string public_jwk;                 ///< JSON; "" for a client that signs nothing
  std::string message;                    ///< what was done, in the answer to a change
  std::string warning;                    ///< what to know about it, "" for nothing

  bool is_oauth() const { return auth_type == AuthType::oauth2; }
  bool needs_redirect() const { return api::needs_redirect(auth_type, grant_type); }
  /// Whether the provider has to be told of a key that the client signs with; a service account's
  /// is known there.
  bool has_key_to_register() const;
  /// The catalogue's entry that it was made from, "" for none.
  std::string catalogue_entry() const;
};

Result<void> read(const Reader& from, Provider& into);
void write(JsonWriter& to, const Provider& provider);

/// What of a registration is settled at the provider.
struct RedirectUri {
  std::string path;
  std::string uri;
};

Result<void> read(const Reader& from, RedirectUri& into);
void write(JsonWriter& to, const RedirectUri& redirect);

/// One thing that was tried at a provider (POST /v1/providers/{id}/test).
struct ProviderCheck {
  std::string name;
  bool ok = false;
  std::string detail;  ///< what was seen
  std::string hint;    ///< the way out where it is not ok
};

struct ProviderTest {
  std::string name;  ///< the provider's
  std::vector<ProviderCheck> checks;

  bool ok() const;
};

Result<void> read(const Reader& from, ProviderTest& into);
void write(JsonWriter& to, const ProviderTest& test);

/// How a provider's endpoints were when they were last needed (/v1/providers/health).
struct ProviderHealth {
  std::string id;
  std::string name;
  std::string health_status;  ///< healthy, unhealthy, unknown
  std::string checked_at;     ///< RFC 3339, "" for never
  std::string message;
};

void write(JsonWriter& to, const ProviderHealth& health);

}  // namespace nexus::api
