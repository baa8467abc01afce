#include <nlohmann/json.hpp>

#include "common/api/connection.h"
#include "common/json.h"
#include "common/json_fields.h"
#include "common/rfc3339.h"
#include "common/text.h"
#include "daemon/api/handlers.h"
#include "daemon/api/paging.h"
#include "daemon/connection_errors.h"
#include "daemon/http/responses.h"
#include "daemon/net/url.h"

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

/// From the body or the query; "" where neither names one.
Result<std::string> workspace_in(const Json& body, const http::Request& request) {
  for (const char* name : {"workspace_id", "user_id"}) {
    NEXUS_TRY(auto workspace, text_of(body, name));
    if (!workspace.empty()) return workspace;
  }
  return named_workspace(request);
}

/// What applications have to say and the command line need not.
Result<void> check_application_fields(const ConnectionRequest& wanted) {
  if (wanted.workspace.empty())
    return Error{ErrorCode::missing_fields, "workspace_id is missing",
                 "name the workspace, for example your user's id"};
  if (wanted.return_url.empty())
    return Error{ErrorCode::missing_fields, "return_url is missing",
                 "say where the person is to be sent back to"};
  return {};
}

/// The connection, for a caller that may end or rename it.
Result<ConnectionRow> find_to_manage(Services& services, const http::Request& request,
                                     const std::string& reference, const std::string& workspace) {
  NEXUS_TRY(auto row, services.connections.find(reference, workspace, request.caller, Right::use));
  if (may_connect(request.caller, row.workspace, row.provider_name)) return row;
  return Error{ErrorCode::access_denied,
               "a key for a single connection may use it, not end or rename it",
               "use a key for its provider or workspace"};
}

/// What both ways to a new connection have to be told.
Result<ConnectionRequest> read_wanted(const Json& body, const http::Request& request) {
  ConnectionRequest wanted;
  NEXUS_TRY(wanted.workspace, workspace_in(body, request));
  NEXUS_TRY(wanted.provider_name, text_of(body, "provider_name"));
  NEXUS_TRY(wanted.provider_id, text_of(body, "provider_id"));
  NEXUS_TRY(wanted.scopes, scopes_of(body));
  NEXUS_TRY(wanted.return_url, text_of(body, "return_url"));
  NEXUS_TRY(wanted.alias, text_of(body, "alias"));
  NEXUS_CHECK(JsonFields(body).flag("paste", wanted.pasted));
  NEXUS_CHECK(JsonFields(body).flag("device", wanted.device));
  std::map<std::string, std::string> params;
  NEXUS_CHECK(JsonFields(body).map("params", params));
  wanted.params.assign(params.begin(), params.end());
  NEXUS_TRY(wanted.replaces, text_of(body, "replaces"));
  if (wanted.provider_name.empty() && wanted.provider_id.empty())
    return Error{ErrorCode::missing_fields, "provider_name is missing", "name a provider"};
  return wanted;
}

/// The workspace that it is to be in, and the connection that it takes the place of, if any.
Result<void> settle(Services& services, const http::Request& request, ConnectionRequest& wanted) {
  if (wanted.workspace.empty()) wanted.workspace = "default";
  NEXUS_CHECK(admit(services.limits.request_connection, request.caller, wanted.workspace));
  if (wanted.replaces.empty()) return {};
  NEXUS_TRY(const auto old, find_to_manage(services, request, wanted.replaces, wanted.workspace));
  wanted.replaces = old.id;
  wanted.workspace = old.workspace;
  return {};
}

}  // namespace

Result<Reply> request_connection(Services& services, const http::Request& request,
                                 const Arguments&) {
  NEXUS_TRY(const auto body, read_body(request));
  NEXUS_TRY(auto wanted, read_wanted(body, request));
  const bool application = request.caller.via == Caller::Via::gateway;
  if (application) NEXUS_CHECK(check_application_fields(wanted));
  NEXUS_CHECK(settle(services, request, wanted));
  NEXUS_TRY(const auto started, services.requests.begin(wanted, request.caller));
  Json answer{{"auth_url", started.auth_url},
              {"authUrl", started.auth_url},
              {"connection_id", started.connection_id},
              {"state", started.state},
              {"scopes", started.scopes},
              {"provider_id", started.provider_id},
              {"status", word(started.status)},
              {"expires_at", started.expires_at}};
  if (const auto& device = started.device) {
    answer["user_code"] = device->user_code;
    answer["verification_uri"] = device->verification_uri;
    if (!device->verification_uri_complete.empty())
      answer["verification_uri_complete"] = device->verification_uri_complete;
  }
  return Reply{std::move(answer)};
}

Result<Reply> adopt_connection(Services& services, const http::Request& request, const Arguments&) {
  NEXUS_TRY(auto body, read_body(request));
  const auto given = body.find("refresh_token");
  if (given == body.end() || !given->is_string() || given->get_ref<std::string&>().empty())
    return Error{ErrorCode::missing_fields, "refresh_token is missing",
                 "send the refresh token that is to be adopted"};
  auto& text = given->get_ref<std::string&>();
  const Secret token{trim(text)};
  wipe(text);
  if (!is_vschar(token.expose()) || token.expose().size() > 64 * 1024)
    return Error{ErrorCode::invalid_field,
                 "refresh_token has characters or a length that no refresh token has",
                 "copy it once more"};
  NEXUS_TRY(auto wanted, read_wanted(body, request));
  NEXUS_CHECK(settle(services, request, wanted));
  NEXUS_TRY(const auto row, services.requests.adopt(wanted, token, request.caller));
  return Reply{to_json(services.connections.describe(row))};
}

Result<Reply> complete_connection(Services& services, const http::Request& request,
                                  const Arguments&) {
  NEXUS_TRY(const auto body, read_body(request));
  NEXUS_TRY(const auto text, text_of(body, "callback_url"));
  NEXUS_TRY(const auto url, parse_url(text, "callback_url"));
  const auto query = parse_form(url.query);
  if (!query)
    return Error{ErrorCode::invalid_field, "callback_url is malformed",
                 "copy all of the address that the browser shows"};
  const auto uri = text.substr(0, text.find_first_of("?#"));
  NEXUS_TRY(const auto outcome, services.code_flow.complete(uri, *query, request.caller));
  return Reply{
      {{"connection_id", outcome.connection_id},
       {"status", word(outcome.active ? ConnectionStatus::active : ConnectionStatus::failed)},
       {"message", outcome.message}}};
}

Result<Reply> check_connection(Services& services, const http::Request& request,
                               const Arguments& args) {
  NEXUS_TRY(const auto row,
            services.connections.find(args[0], workspace_of(request), request.caller, Right::read));
  services.device_flow.advance(row);
  const auto connection = services.connections.describe(row);
  Json body{{"status", connection.status}, {"connection_id", connection.id}};
  if (row.status == ConnectionStatus::revoked) body["reason"] = "revoked";
  return Reply{std::move(body)};
}

Result<Reply> list_connections(Services& services, const http::Request& request, const Arguments&) {
  NEXUS_TRY(const auto slice, slice_of(request));
  ConnectionPage page{.before = slice.cursor, .limit = slice.limit};
  page.workspace = named_workspace(request);
  if (page.workspace.empty() && request.caller.via == Caller::Via::gateway)
    return Error{ErrorCode::missing_workspace_id, "workspace_id is missing",
                 "name the workspace in the query"};
  if (page.workspace.empty()) page.workspace = "default";
  if (page.workspace == "*") page.workspace.clear();
  page.pending = request.query_value("pending") == "true";
  NEXUS_TRY(const auto listed, services.connections.list(std::move(page), request.caller));
  Json list = Json::array();
  for (const auto& row : listed.connections) {
    services.device_flow.advance(row);
    list.push_back(to_json(services.connections.describe(row)));
  }
  return paged(std::move(list), request, listed.next);
}

void show_connection(Services& services, const http::Request& request, const Arguments& args,
                     http::Respond respond) {
  const auto told = [&services](const Result<ConnectionRow>& row) {
    return row ? http::json_response(to_json(services.connections.describe(*row)))
               : http::error_response(row.error());
  };
  const auto row =
      services.connections.find(args[0], workspace_of(request), request.caller, Right::read);
  if (!row || row->status != ConnectionStatus::pending) return respond(told(row));
  // What was asked on another device is told as it is now.
  services.device_flow.advance(*row, [&services, told, id = row->id, workspace = row->workspace,
                                      caller = request.caller, respond = std::move(respond)] {
    respond(told(services.connections.find(id, workspace, caller, Right::read)));
  });
}

Result<Reply> edit_connection(Services& services, const http::Request& request,
                              const Arguments& args) {
  NEXUS_TRY(const auto body, read_body(request));
  NEXUS_TRY(const auto alias, text_of(body, "alias"));
  if (alias.empty())
    return Error{ErrorCode::missing_fields, "alias is missing", "an alias is what can be changed"};
  NEXUS_TRY(const auto row, find_to_manage(services, request, args[0], workspace_of(request)));
  NEXUS_CHECK(services.connections.set_alias(row, alias, request.caller));
  NEXUS_TRY(const auto renamed,
            services.connections.find(row.id, row.workspace, request.caller, Right::read));
  return Reply{to_json(services.connections.describe(renamed))};
}

Result<Reply> delete_connection(Services& services, const http::Request& request,
                                const Arguments& args) {
  NEXUS_TRY(const auto body, read_body(request));
  NEXUS_TRY(const auto workspace, workspace_in(body, request));
  NEXUS_TRY(const auto row,
            find_to_manage(services, request, args[0], workspace.empty() ? "default" : workspace));
  // Who names a workspace means a connection of that workspace.
  if (!workspace.empty() && row.workspace != workspace) return no_such_connection(args[0]);
  const bool keep_grant = request.query_value("keep_grant") == "true";
  NEXUS_TRY(auto reason, text_of(body, "reason"));
  if (reason.empty()) reason = request.query_value("reason");
  NEXUS_TRY(const auto report,
            services.connections.revoke(row, keep_grant, reason, request.caller));
  Json answer{{"connection_id", report.connection_id},
              {"provider_name", report.provider},
              {"status", "revoked"},
              {"revoked_at", rfc3339(report.revoked_at)},
              {"already_revoked", report.already_revoked},
              {"token_deleted", !report.at_provider.pending},
              {"sessions_closed", 0},
              {"provider_revoked", report.at_provider.revoked},
              {"provider_revocation_pending", report.at_provider.pending}};
  if (const auto& error = report.at_provider.error; !error.empty())
    answer["provider_revocation_error"] = error;
  return Reply{std::move(answer)};
}

}  // namespace nexus::api
