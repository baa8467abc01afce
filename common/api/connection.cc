#include "common/api/connection.h"

#include <nlohmann/json.hpp>

#include "common/json.h"
#include "common/rfc3339.h"

namespace nexus::api {
namespace {

Json or_null(const std::optional<UnixTime>& time) {
  return time ? Json(*time) : Json(nullptr);
}

std::optional<UnixTime> time_member(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_number_integer()) return std::nullopt;
  return found->get<UnixTime>();
}

}  // namespace

Json last_error(const Connection& c) {
  if (c.error_code.empty()) return nullptr;
  return {{"code", c.error_code}, {"message", c.error_message}};
}

Json to_json(const Connection& c) {
  return {{"id", c.id},
          {"connection_id", c.id},
          {"alias", c.alias.empty() ? Json(nullptr) : Json(c.alias)},
          {"provider_id", c.provider_id},
          {"provider_name", c.provider},
          {"workspace_id", c.workspace},
          {"account", c.account.empty() ? Json(nullptr) : Json(c.account)},
          {"auth_type", c.auth_type},
          {"status", c.status},
          {"health_status", c.status == "active" ? "healthy" : "unhealthy"},
          {"scopes", c.scopes},
          {"created_at", rfc3339(c.created_at)},
          {"updated_at", rfc3339(c.updated_at)},
          {"expires_at", or_null(c.expires_at)},
          {"last_refresh_at", or_null(c.last_refresh_at)},
          {"next_refresh_at", or_null(c.next_refresh_at)},
          {"last_error", last_error(c)}};
}

Result<Connection> connection_from_json(const Json& json) {
  if (!json.is_object() || !text_member(json, "connection_id") || !text_member(json, "status"))
    return Error{ErrorCode::failure, "the daemon described a connection in a way unknown to nexus",
                 "run: nexus daemon stop   (a daemon of another version may be running)"};
  const auto text = [&](const char* name) { return text_member(json, name).value_or(""); };
  Connection c;
  c.id = text("connection_id");
  c.alias = text("alias");
  c.provider = text("provider_name");
  c.provider_id = text("provider_id");
  c.auth_type = text("auth_type");
  c.workspace = text("workspace_id");
  c.account = text("account");
  c.status = text("status");
  if (const auto scopes = json.find("scopes"); scopes != json.end() && scopes->is_array())
    for (const auto& scope : *scopes)
      if (scope.is_string()) c.scopes.push_back(scope.get<std::string>());
  c.expires_at = time_member(json, "expires_at");
  c.last_refresh_at = time_member(json, "last_refresh_at");
  c.next_refresh_at = time_member(json, "next_refresh_at");
  if (const auto error = json.find("last_error"); error != json.end() && error->is_object()) {
    c.error_code = text_member(*error, "code").value_or("");
    c.error_message = text_member(*error, "message").value_or("");
  }
  return c;
}

}  // namespace nexus::api
