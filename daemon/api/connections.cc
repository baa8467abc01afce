#include <nlohmann/json.hpp>

#include "common/api/connection.h"
#include "common/json.h"
#include "common/text.h"
#include "daemon/api/handlers.h"

namespace nexus::api {
namespace {

constexpr std::size_t kMaxText = 4096;

/// A text member within reason; "" when it is absent or null.
Result<std::string> text_of(const Json& body, const char* name) {
  const auto found = body.find(name);
  if (found == body.end() || found->is_null()) return std::string();
  if (!found->is_string() || found->get_ref<const std::string&>().size() > kMaxText)
    return Error{ErrorCode::invalid_field,
                 std::string(name) + " has to be a text of at most 4096 bytes",
                 "correct the field and try again"};
  const auto text = found->get<std::string>();
  if (printable(text, text.size() + 1) != text)
    return Error{ErrorCode::invalid_field, std::string(name) + " has control characters",
                 "correct the field and try again"};
  return text;
}

Result<std::vector<std::string>> scopes_of(const Json& body) {
  std::vector<std::string> scopes;
  const auto found = body.find("scopes");
  if (found == body.end() || found->is_null()) return scopes;
  const Error bad{ErrorCode::invalid_field, "scopes has to be a list of texts",
                  "for example [\"openid\", \"email\"]"};
  if (!found->is_array() || found->size() > 200) return bad;
  for (const auto& scope : *found) {
    if (!scope.is_string()) return bad;
    scopes.push_back(scope.get<std::string>());
  }
  return scopes;
}

Result<std::string> workspace_in(const Json& body, const http::Request& request) {
  NEXUS_TRY(auto workspace, text_of(body, "workspace_id"));
  if (workspace.empty()) {
    NEXUS_TRY(auto user, text_of(body, "user_id"));
    workspace = std::move(user);
  }
  if (workspace.empty()) return workspace_of(request);
  return workspace;
}

}  // namespace

Result<Reply> request_connection(Services& services, const http::Request& request,
                                 const Arguments&) {
  NEXUS_TRY(const auto body, read_body(request));
  ConnectionRequest wanted;
  NEXUS_TRY(wanted.workspace, workspace_in(body, request));
  NEXUS_TRY(wanted.provider_name, text_of(body, "provider_name"));
  NEXUS_TRY(wanted.provider_id, text_of(body, "provider_id"));
  NEXUS_TRY(wanted.scopes, scopes_of(body));
  NEXUS_TRY(wanted.return_url, text_of(body, "return_url"));
  NEXUS_TRY(wanted.alias, text_of(body, "alias"));
  NEXUS_TRY(const auto replaces, text_of(body, "replaces"));
  if (wanted.provider_name.empty() && wanted.provider_id.empty())
    return Error{ErrorCode::missing_fields, "provider_name is missing", "name a provider"};
  if (!replaces.empty()) {
    NEXUS_TRY(const auto old, services.connections.find(replaces, wanted.workspace));
    wanted.replaces = old.id;
    wanted.workspace = old.workspace;
  }
  NEXUS_TRY(const auto started, services.connections.request(wanted, request.caller));
  return Reply{{{"auth_url", started.auth_url},
                {"authUrl", started.auth_url},
                {"connection_id", started.connection_id},
                {"state", started.state},
                {"scopes", started.scopes},
                {"provider_id", started.provider_id},
                {"status", "pending"},
                {"expires_at", started.expires_at}}};
}

Result<Reply> check_connection(Services& services, const http::Request& request,
                               const Arguments& args) {
  NEXUS_TRY(const auto row, services.connections.find(args[0], workspace_of(request)));
  const auto connection = services.connections.describe(row);
  Json body{{"status", connection.status}, {"connection_id", connection.id}};
  if (row.status == "revoked") body["reason"] = "revoked";
  return Reply{std::move(body)};
}

Result<Reply> list_connections(Services& services, const http::Request& request, const Arguments&) {
  ConnectionFilter filter;
  filter.workspace = workspace_of(request);
  if (filter.workspace == "*") filter.workspace.clear();
  filter.pending = request.query_value("pending") == "true";
  NEXUS_TRY(const auto rows, services.connections.list(filter));
  Json list = Json::array();
  for (const auto& row : rows) list.push_back(to_json(services.connections.describe(row)));
  return Reply{std::move(list)};
}

Result<Reply> show_connection(Services& services, const http::Request& request,
                              const Arguments& args) {
  NEXUS_TRY(const auto row, services.connections.find(args[0], workspace_of(request)));
  return Reply{to_json(services.connections.describe(row))};
}

Result<Reply> edit_connection(Services& services, const http::Request& request,
                              const Arguments& args) {
  NEXUS_TRY(const auto body, read_body(request));
  NEXUS_TRY(const auto alias, text_of(body, "alias"));
  if (alias.empty())
    return Error{ErrorCode::missing_fields, "alias is missing", "an alias is what can be changed"};
  NEXUS_TRY(const auto row, services.connections.find(args[0], workspace_of(request)));
  NEXUS_CHECK(services.connections.set_alias(row, alias, request.caller));
  NEXUS_TRY(const auto renamed, services.connections.find(row.id, row.workspace));
  return Reply{to_json(services.connections.describe(renamed))};
}

Result<Reply> delete_connection(Services& services, const http::Request& request,
                                const Arguments& args) {
  NEXUS_TRY(const auto body, read_body(request));
  NEXUS_TRY(const auto workspace, workspace_in(body, request));
  NEXUS_TRY(const auto row, services.connections.find(args[0], workspace));
  // Who names a workspace means a connection of that workspace.
  const bool named = request.query_value("workspace_id") != "" || body.contains("workspace_id");
  if (named && row.workspace != workspace)
    return Error{ErrorCode::connection_not_found, "there is no such connection in the workspace",
                 "see: nexus list"};
  const bool keep_grant = request.query_value("keep_grant") == "true";
  NEXUS_TRY(const auto report, services.connections.revoke(row, keep_grant, request.caller));
  Json answer{{"connection_id", report.connection_id},
              {"provider_name", report.provider},
              {"status", "revoked"},
              {"revoked_at", rfc3339(report.revoked_at)},
              {"already_revoked", report.already_revoked},
              {"token_deleted", true},
              {"sessions_closed", 0},
              {"provider_revoked", report.provider_revoked}};
  if (!report.provider_error.empty()) answer["provider_revocation_error"] = report.provider_error;
  return Reply{std::move(answer)};
}

}  // namespace nexus::api
