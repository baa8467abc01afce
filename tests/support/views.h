#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/clock.h"

namespace nexus::test {

// What a test sees of the services' own types, so that those can change without the tests.

struct ProviderView {
  std::string id;
  std::string name;
  std::string client_id;
  std::string token_url;
  std::string description;
  std::string redirect_uri;
  std::string secret_fingerprint;
  std::string warning;  ///< of the registration
};

struct HealthView {
  bool healthy = false;
  UnixTime checked_at = 0;
  std::string message;
};

struct ConnectionView {
  std::string id;
  std::string status;
  std::string alias;
  std::string scopes;  ///< as granted
  std::string error_code;
  std::string error_message;
  std::optional<UnixTime> expires_at;
  std::optional<UnixTime> refresh_at;  ///< when the background refreshes it
  std::int64_t failures = 0;           ///< refreshes in a row
  bool refresh_unanswered = false;     ///< a refresh token was sent whose answer is not stored
  UnixTime created_at = 0;
  UnixTime updated_at = 0;
  std::optional<UnixTime> last_refresh_at;
};

/// A connection that waits for a person.
struct PendingView {
  std::string id;
  std::string url;
  std::string state;
  std::string redirect_uri;
  UnixTime expires_at = 0;
  std::string status;  ///< "active" at once where no person is needed
};

struct FlowEndView {
  bool active = false;
  bool denied = false;
  std::string connection_id;
  std::string message;
  std::string redirect_to;
};

struct TokenView {
  std::string connection_id;
  std::string access_token;
  std::string id_token;
  std::string scopes;
  std::optional<UnixTime> expires_at;
  std::string document;  ///< of a static connection, as JSON
};

struct DisconnectView {
  bool already_revoked = false;
  bool revoked_at_provider = false;
  bool pending_at_provider = false;
};

}  // namespace nexus::test
