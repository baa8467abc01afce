// The proxy's own routes: that it listens, where requests go, and keys for programs that run.
#include "common/api/proxy.h"

#include "common/text.h"
#include "daemon/api/handlers.h"
#include "daemon/api/proxy_listener.h"
#include "daemon/http/responses.h"
#include "daemon/provider/api_base.h"

namespace nexus::api {
namespace {

std::string base_url_of(Services& services, const ConnectionRow& row) {
  const auto provider = services.providers.of_connection(row);
  if (!provider) return {};
  const auto base = api_base_of(*provider, row);
  return base ? *base : provider->api_base_url;
}

/// What a program is to have a key for.
struct WantedProgram {
  std::vector<std::string> references;
  std::vector<ConnectionRow> connections;  ///< that they stand for
  RouteRules rules;
};

Result<WantedProgram> read_wanted_program(Services& services, const http::Request& request) {
  const auto& caller = request.caller;
  if (caller.via != Caller::Via::control_socket || caller.pid <= 0)
    return Error{ErrorCode::access_denied, "only a program on this machine gets a key of its own",
                 "run: nexus exec --proxy CONNECTION -- PROGRAM"};
  NEXUS_TRY(const auto body, read_body(request));
  WantedProgram wanted;
  std::string workspace;
  std::vector<std::string> rules;
  NEXUS_CHECK(body.texts("connections", wanted.references));
  NEXUS_CHECK(body.text("workspace_id", workspace));
  NEXUS_CHECK(body.texts("rules", rules));
  if (wanted.references.empty())
    return Error{ErrorCode::missing_fields, "connections is missing", "name at least one"};
  NEXUS_TRY(wanted.rules, RouteRules::parse(rules));
  for (const auto& reference : wanted.references) {
    NEXUS_TRY(auto row,
              services.connections.find(reference, workspace.empty() ? "default" : workspace,
                                        caller, Right::forward));
    wanted.connections.push_back(std::move(row));
  }
  return wanted;
}

/// One after the other: for each a person may have to be asked. The key stands for the passage.
void pass_gates(Services& services, const WantedProgram& wanted, std::size_t next,
                const Caller& caller, const UseGate::Done& done) {
  if (next == wanted.connections.size()) return done({});
  services.use_gate.pass(wanted.connections[next], caller, Right::forward,
                         [&services, wanted, next, caller, done](const Result<void>& passed) {
                           if (!passed) return done(passed.error());
                           pass_gates(services, wanted, next + 1, caller, done);
                         });
}

http::Response refused_program(Services& services, const Error& error, const Caller& caller) {
  auto response = http::error_response(error);
  response.audit.push_back(services.audit.record({.event = AuditEvent::key_created,
                                                  .outcome = AuditOutcome::refused,
                                                  .connection_id = error.connection_id,
                                                  .provider = error.provider,
                                                  .detail = error.wire()},
                                                 caller));
  return response;
}

Result<Program> begin_wanted(Services& services, const WantedProgram& wanted,
                             const Caller& caller) {
  Access access;
  access.rules = wanted.rules;
  Program program;
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < wanted.connections.size(); ++i) {
    const auto& row = wanted.connections[i];
    access.grants.push_back({Right::forward, Grant::Over::connection, row.id});
    program.routes.push_back({wanted.references[i], row.id, row.provider_name, ""});
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
  return program;
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

void begin_program(Services& services, const http::Request& request, const Arguments&,
                   http::Respond respond) {
  const auto wanted = read_wanted_program(services, request);
  if (!wanted) return respond(http::error_response(wanted.error()));
  pass_gates(services, *wanted, 0, request.caller,
             [&services, wanted = *wanted, caller = request.caller,
              respond = std::move(respond)](const Result<void>& passed) {
               if (!passed) return respond(refused_program(services, passed.error(), caller));
               const auto program = begin_wanted(services, wanted, caller);
               respond(program ? http::json_response(to_json(*program), 201)
                               : http::error_response(program.error()));
             });
}

}  // namespace nexus::api
