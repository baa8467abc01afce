// The proxy's own routes: that it listens, where requests go, and keys for programs that run.
#include "common/api/proxy.h"

#include "common/text.h"
#include "daemon/api/handlers.h"
#include "daemon/api/proxy_listener.h"
#include "daemon/provider/api_base.h"

namespace nexus::api {
namespace {

std::string base_url_of(Services& services, const ConnectionRow& row) {
  const auto provider = services.providers.of_connection(row);
  if (!provider) return {};
  const auto base = api_base_of(*provider, row);
  return base ? *base : provider->api_base_url;
}

}  // namespace

Result<Reply> show_proxy(Services& services, const http::Request&, const Arguments&) {
  return Reply{to_json(services.proxy.status())};
}

Result<Reply> open_proxy(Services& services, const http::Request& request, const Arguments&) {
  NEXUS_TRY(const auto body, read_body(request));
  std::string listen;
  NEXUS_CHECK(body.text("listen", listen));
  NEXUS_TRY(const auto proxy, services.proxy.open(listen));
  return Reply{to_json(proxy)};
}

Result<Reply> close_proxy(Services& services, const http::Request&, const Arguments&) {
  return Reply{to_json(services.proxy.close())};
}

Result<Reply> list_proxy_routes(Services& services, const http::Request& request,
                                const Arguments&) {
  NEXUS_TRY(const auto listed,
            services.connections.list({.workspace = workspace_of(request), .limit = 1000},
                                      request.caller));
  std::vector<ProxyRoute> routes;
  for (const auto& row : listed.connections) {
    if (row.status != ConnectionStatus::active) continue;
    const auto rules = services.forwarder.rules().about(row);
    routes.push_back({row.alias.empty() ? row.id : row.alias, row.id, row.provider_name,
                      base_url_of(services, row), !rules.empty(), rules.texts()});
  }
  return Reply{JsonWriter().begin().member_json("routes", to_json(routes)).end().take()};
}

Result<Reply> begin_program(Services& services, const http::Request& request, const Arguments&) {
  const auto& caller = request.caller;
  if (caller.via != Caller::Via::control_socket || caller.pid <= 0)
    return Error{ErrorCode::access_denied, "only a program on this machine gets a key of its own",
                 "run: nexus exec --proxy CONNECTION -- PROGRAM"};
  NEXUS_TRY(const auto body, read_body(request));
  std::vector<std::string> references;
  std::string workspace;
  std::vector<std::string> rules;
  NEXUS_CHECK(body.texts("connections", references));
  NEXUS_CHECK(body.text("workspace_id", workspace));
  NEXUS_CHECK(body.texts("rules", rules));
  if (references.empty())
    return Error{ErrorCode::missing_fields, "connections is missing", "name at least one"};
  Access access;
  NEXUS_TRY(access.rules, RouteRules::parse(rules));
  Program program;
  std::vector<std::string> ids;
  for (const auto& reference : references) {
    NEXUS_TRY(const auto row,
              services.connections.find(reference, workspace.empty() ? "default" : workspace,
                                        caller, Right::forward));
    access.grants.push_back({Right::forward, Grant::Over::connection, row.id});
    program.routes.push_back({reference, row.id, row.provider_name, ""});
    ids.push_back(row.id);
  }
  NEXUS_TRY(const auto begun, services.proxy.begin(static_cast<pid_t>(caller.pid), access));
  NEXUS_CHECK(services.audit.commit(
      {.event = AuditEvent::key_created,
       .detail = "of process " + std::to_string(caller.pid) + ", to forward " + join(ids, " ")},
      caller));
  program.url = begun.url;
  program.key = begun.key.expose();
  for (auto& route : program.routes) route.url = begun.url + "/" + route.connection_id;
  return Reply{to_json(program), 201};
}

}  // namespace nexus::api
