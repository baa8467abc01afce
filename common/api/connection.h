#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/error.h"

namespace nexus::api {

/// A connection as /v1/connections tells it: never a credential. The JSON carries the fields of the
/// published contract (id, provider_name, health_status, created_at…) beside ours.
struct Connection {
  std::string id;
  std::string alias;  ///< "" when it has none
  std::string provider;
  std::string provider_id;
  std::string auth_type;
  std::string workspace;
  std::string account;  ///< the person's e-mail or name at the provider, "" when unknown
  std::string status;   ///< pending, active, attention_required, failed
  std::vector<std::string> scopes;
  UnixTime created_at = 0;
  UnixTime updated_at = 0;
  std::optional<UnixTime> expires_at;  ///< of the access token; nothing: it does not expire
  std::optional<UnixTime> last_refresh_at;
  std::optional<UnixTime> next_refresh_at;  ///< in the background; after a failure, the next try
  std::string error_code;                   ///< the last error, "" when there is none
  std::string error_message;
};

nlohmann::json to_json(const Connection& connection);
/// {code, message} of the last error, or null.
nlohmann::json last_error(const Connection& connection);
Result<Connection> connection_from_json(const nlohmann::json& json);

}  // namespace nexus::api
