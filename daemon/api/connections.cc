#include "common/api/connection.h"
#include "common/api/connection_request.h"
#include "common/json_fields.h"
#include "common/text.h"
#include "daemon/api/handlers.h"
#include "daemon/api/paging.h"
#include "daemon/connection_errors.h"
#include "daemon/http/responses.h"
#include "daemon/net/url.h"

namespace nexus::api {
namespace {

/// Named in the body or the query; "" where neither names one.
Result<std::string> workspace_in(const JsonFields& body, const http::Request& request) {
  NEXUS_TRY(auto workspace, read_workspace(body));
  return workspace.empty() ? named_workspace(request) : workspace;
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
  NEXUS_TRY(auto wanted, read_connection_request(body));
  NEXUS_TRY(wanted.workspace, workspace_in(body, request));
  const bool application = request.caller.is_application();
  if (application) NEXUS_CHECK(check_application_fields(wanted));
  NEXUS_CHECK(settle(services, request, wanted));
  auto started = services.requests.begin(wanted, request.caller);
  if (!started)
    return services.connections.explain(std::move(started).error(), wanted.alias, wanted.workspace,
                                        request.caller);
  return Reply{to_json(*started)};
}

Result<Reply> adopt_connection(Services& services, const http::Request& request, const Arguments&) {
  NEXUS_TRY(auto body, read_body(request));
  const auto given = body.take("refresh_token");
  if (given.empty())
    return Error{ErrorCode::missing_fields, "refresh_token is missing",
                 "send the refresh token that is to be adopted"};
  const Secret token{trim(given.expose())};
  if (!is_vschar(token.expose()) || token.expose().size() > 64 * 1024)
    return Error{ErrorCode::invalid_field,
                 "refresh_token has characters or a length that no refresh token has",
                 "copy it once more"};
  NEXUS_TRY(auto wanted, read_connection_request(body));
  NEXUS_TRY(wanted.workspace, workspace_in(body, request));
  NEXUS_CHECK(settle(services, request, wanted));
  const auto row = services.requests.adopt(wanted, token, request.caller);
  if (!row)
    return services.connections.explain(row.error(), wanted.alias, wanted.workspace,
                                        request.caller);
  return Reply{to_json(services.connections.describe(*row))};
}

Result<Reply> complete_connection(Services& services, const http::Request& request,
                                  const Arguments&) {
  NEXUS_TRY(const auto body, read_body(request));
  std::string text;
  NEXUS_CHECK(body.text("callback_url", text));
  NEXUS_TRY(const auto url, parse_url(text, "callback_url"));
  const auto query = parse_form(url.query);
  if (!query)
    return Error{ErrorCode::invalid_field, "callback_url is malformed",
                 "copy all of the address that the browser shows"};
  const auto uri = text.substr(0, text.find_first_of("?#"));
  NEXUS_TRY(const auto outcome, services.code_flow.complete(uri, *query, request.caller));
  const auto status = outcome.active ? ConnectionStatus::active : ConnectionStatus::failed;
  return Reply{to_json(CompletedConnection{outcome.connection_id, status, outcome.message})};
}

Result<Reply> check_connection(Services& services, const http::Request& request,
                               const Arguments& args) {
  NEXUS_TRY(const auto row,
            services.connections.find(args[0], workspace_of(request), request.caller, Right::read));
  services.device_flow.advance(row);
  const auto connection = services.connections.describe(row);
  const bool revoked = row.status == ConnectionStatus::revoked;
  return Reply{to_json(ConnectionCheck{connection.id, connection.status,
                                       revoked ? word(ConnectionStatus::revoked) : ""})};
}

Result<Reply> list_connections(Services& services, const http::Request& request, const Arguments&) {
  NEXUS_TRY(const auto slice, slice_of(request));
  ConnectionPage page{.before = slice.cursor, .limit = slice.limit};
  page.workspace = named_workspace(request);
  if (page.workspace.empty() && request.caller.is_application())
    return Error{ErrorCode::missing_workspace_id, "workspace_id is missing",
                 "name the workspace in the query"};
  if (page.workspace.empty()) page.workspace = "default";
  if (page.workspace == "*") page.workspace.clear();
  page.pending = request.query_value("pending") == "true";
  NEXUS_TRY(const auto listed, services.connections.list(std::move(page), request.caller));
  std::vector<Connection> list;
  for (const auto& row : listed.connections) {
    services.device_flow.advance(row);
    list.push_back(services.connections.describe(row));
  }
  return paged(list, request, listed.next);
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
  std::string alias;
  NEXUS_CHECK(body.text("alias", alias));
  if (alias.empty())
    return Error{ErrorCode::missing_fields, "alias is missing", "an alias is what can be changed"};
  NEXUS_TRY(const auto row, find_to_manage(services, request, args[0], workspace_of(request)));
  if (auto set = services.connections.set_alias(row, alias, request.caller); !set)
    return services.connections.explain(std::move(set).error(), alias, row.workspace,
                                        request.caller);
  NEXUS_TRY(const auto renamed,
            services.connections.find(row.id, row.workspace, request.caller, Right::read));
  return Reply{to_json(services.connections.describe(renamed))};
}

Result<Reply> set_use_rules(Services& services, const http::Request& request,
                            const Arguments& args) {
  NEXUS_TRY(const auto body, read_body(request));
  NEXUS_TRY(const auto rules, read_use_rules(body));
  NEXUS_CHECK(check_use_rules(rules));
  NEXUS_TRY(const auto row,
            services.connections.find(args[0], workspace_of(request), request.caller, Right::use));
  NEXUS_CHECK(services.connections.set_use_rules(row, rules, request.caller));
  services.use_gate.forget(row.id);
  NEXUS_TRY(const auto changed,
            services.connections.find(row.id, row.workspace, request.caller, Right::read));
  return Reply{to_json(services.connections.describe(changed))};
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
  std::string reason;
  NEXUS_CHECK(body.text("reason", reason));
  if (reason.empty()) reason = request.query_value("reason");
  NEXUS_TRY(const auto ended, services.connections.revoke(row, keep_grant, reason, request.caller));
  return Reply{to_json(ended)};
}

}  // namespace nexus::api
