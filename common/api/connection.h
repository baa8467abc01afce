#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/api/reader.h"
#include "common/api/use_rules.h"
#include "common/api/words.h"
#include "common/clock.h"
#include "common/error.h"
#include "common/json.h"

namespace nexus::api {

/// A connection as /v1/connections tells it: never a credential. The JSON carries the fields of the
/// published contract (id, provider_name, health_status, created_at…) beside ours.
struct Connection {
  std::string id;
  std::string alias;  ///< "" when it has none
  std::string provider;
  std::string provider_id;
  AuthType auth_type = AuthType::oauth2;
  std::string workspace;
  std::string account;   ///< the person's e-mail or name at the provider, "" when unknown
  std::string metadata;  ///< the application's own, as JSON; "" for none
  /// Outside, a revoked connection has failed.
  ConnectionStatus status = ConnectionStatus::pending;
  std::vector<std::string> scopes;
  UnixTime created_at = 0;
  UnixTime updated_at = 0;
  std::optional<UnixTime> expires_at;  ///< of the access token; nothing where nobody knows
  bool never_expires = false;          ///< as the provider says, or as static credentials do
  std::optional<UnixTime> last_refresh_at;
  std::optional<UnixTime> next_refresh_at;  ///< in the background; after a failure, the next try
  /// Since when refreshes have failed without one that went well; nothing while they go well.
  std::optional<UnixTime> refresh_failing_since;
  std::string error_code;  ///< the last error, "" when there is none
  std::string error_message;
  std::optional<UseRules> access;  ///< nothing: whoever reaches nexusd may use it
};

Result<void> read(const Reader& from, Connection& into);
void write(JsonWriter& to, const Connection& connection);
/// `last_error`: {code, message}, or null.
void write_last_error(JsonWriter& to, const Connection& connection);
/// `access`: who may use it, or null.
void write_access(JsonWriter& to, const Connection& connection);

/// What /v1/check-connection answers.
struct ConnectionCheck {
  std::string id;
  ConnectionStatus status = ConnectionStatus::pending;
  std::string reason;  ///< "revoked" for one that was disconnected, else ""
};

Result<void> read(const Reader& from, ConnectionCheck& into);
void write(JsonWriter& to, const ConnectionCheck& check);

/// What a person types on another device (RFC 8628 3.2).
struct DevicePrompt {
  std::string user_code;
  std::string verification_uri;
  std::string verification_uri_complete;  ///< "" where the provider has none
};

/// What /v1/request-connection answers.
struct StartedConnection {
  std::string connection_id;
  /// active at once where no person is needed
  ConnectionStatus status = ConnectionStatus::pending;
  /// Where the person goes: the provider's consent, our page, or (nobody is needed) straight back.
  std::string auth_url;
  std::string state;
  std::vector<std::string> scopes;
  std::string provider_id;
  UnixTime expires_at = 0;
  std::string redirect_uri;       ///< where the browser is expected, "" where none is
  bool device_supported = false;  ///< the consent could be given on another device instead
  std::optional<DevicePrompt> device;
};

Result<void> read(const Reader& from, StartedConnection& into);
void write(JsonWriter& to, const StartedConnection& started);
/// The members of a device's prompt, none where there is none.
void write(JsonWriter& to, const std::optional<DevicePrompt>& device);

/// What /v1/complete-connection answers.
struct CompletedConnection {
  std::string connection_id;
  ConnectionStatus status = ConnectionStatus::failed;
  std::string message;
};

void write(JsonWriter& to, const CompletedConnection& completed);

/// What DELETE /v1/connections/{id} answers.
struct Disconnection {
  std::string connection_id;
  std::string provider;
  UnixTime revoked_at = 0;
  bool already_revoked = false;
  bool provider_revoked = false;             ///< the provider said so
  bool provider_revocation_pending = false;  ///< it is asked again, by itself
  std::string provider_revocation_error;     ///< why it has not revoked (yet)
};

Result<void> read(const Reader& from, Disconnection& into);
void write(JsonWriter& to, const Disconnection& disconnection);

}  // namespace nexus::api
