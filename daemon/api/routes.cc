#include "daemon/api/routes.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <variant>

#include "common/id.h"
#include "common/text.h"
#include "common/text_fault.h"
#include "daemon/api/capture_pages.h"
#include "daemon/api/forwarding.h"
#include "daemon/api/handlers.h"
#include "daemon/http/responses.h"
#include "daemon/last_catch.h"

namespace nexus::api {
namespace {

using Answering = Result<Reply> (*)(Services&, const http::Request&, const Arguments&);
using Later = void (*)(Services&, const http::Request&, const Arguments&, http::Respond);

/// Where a handler runs. On the loop it makes one indexed read at the most, and waits for nothing.
enum class Place {
  loop,
  loop_by_id,  ///< a connection's id needs no look-up; an alias or a name is looked for on a worker
  disk,
  network,
};

}  // namespace

struct Route {
  const char* method;
  const char* path;  ///< `{}` stands for one segment; the first fitting line counts
  std::variant<Answering, Later> handler;
  Place place = Place::loop;
  Needs needs = Needs::key;
};

namespace {

constexpr const char* kConfirmation = "x-nexus-confirmation";

constexpr auto loop = Place::loop;
constexpr auto by_id = Place::loop_by_id;
constexpr auto disk = Place::disk;
constexpr auto network = Place::network;
constexpr auto nothing = Needs::nothing;
constexpr auto open = Needs::key_unless_open;
constexpr auto key = Needs::key;
constexpr auto changing = Needs::changing_key;
constexpr auto admin = Needs::admin_key;
constexpr auto owner = Needs::control_socket;

const Route kRoutes[] = {
    {"GET", "/v1/token/{}", Later{get_token}, by_id, key},
    {"POST", "/v1/refresh/{}", Later{refresh_token}, by_id, key},
    {"GET", "/v1/resolve", Later{resolve_token}, disk, key},
    {"GET", "/v1/check-connection/{}", Answering{check_connection}, by_id, open},
    {"POST", "/v1/request-connection", Answering{request_connection}, network, changing},
    {"GET", "/v1/capture-schema", Answering{capture_schema}, disk, nothing},
    {"POST", "/v1/capture-credential", Answering{capture_credential}, network, nothing},
    {"POST", "/v1/adopt-connection", Answering{adopt_connection}, network, changing},
    {"POST", "/v1/complete-connection", Answering{complete_connection}, network, changing},
    {"GET", "/v1/connections", Answering{list_connections}, disk, key},
    {"GET", "/v1/connections/{}", Later{show_connection}, by_id, key},
    {"PATCH", "/v1/connections/{}", Answering{edit_connection}, disk, changing},
    {"PUT", "/v1/connections/{}/access", Answering{set_use_rules}, disk, admin},
    {"DELETE", "/v1/connections/{}", Answering{delete_connection}, network, changing},
    {"POST", "/v1/connections/{}/take-back", Answering{take_back_connection}, disk, owner},
    {"POST", "/v1/export", Answering{export_bundle}, network, owner},
    {"POST", "/v1/import", Answering{import_bundle}, network, owner},
    {"GET", "/v1/providers", Answering{provider_metadata}, disk, key},
    {"GET", "/providers", Answering{list_providers}, disk, key},
    {"POST", "/v1/providers", Answering{add_provider}, network, admin},
    {"POST", "/providers", Answering{add_provider}, network, admin},
    {"GET", "/v1/providers/metadata", Answering{provider_metadata}, disk, key},
    {"GET", "/providers/metadata", Answering{provider_metadata}, disk, key},
    {"GET", "/v1/providers/health", Answering{provider_health}, disk, key},
    {"GET", "/providers/health", Answering{provider_health}, disk, key},
    {"GET", "/v1/providers/redirect-uri", Answering{show_redirect_uri}, loop, key},
    {"POST", "/v1/providers/plan", Answering{plan_providers}, network, admin},
    {"POST", "/v1/providers/apply", Answering{apply_providers}, network, admin},
    {"POST", "/v1/providers/reach", Answering{reach_providers}, network, admin},
    {"POST", "/v1/providers/{}/test", Answering{test_provider}, network, admin},
    {"GET", "/v1/providers/by-name/{}", Answering{show_provider_named}, disk, key},
    {"GET", "/providers/by-name/{}", Answering{show_provider_named}, disk, key},
    {"DELETE", "/v1/providers/by-name/{}", Answering{delete_provider_named}, disk, admin},
    {"DELETE", "/providers/by-name/{}", Answering{delete_provider_named}, disk, admin},
    {"GET", "/v1/providers/{}", Answering{show_provider}, disk, key},
    {"GET", "/providers/{}", Answering{show_provider}, disk, key},
    {"PUT", "/v1/providers/{}", Answering{replace_provider}, network, admin},
    {"PUT", "/providers/{}", Answering{replace_provider}, network, admin},
    {"PATCH", "/v1/providers/{}", Answering{edit_provider}, network, admin},
    {"PATCH", "/providers/{}", Answering{edit_provider}, network, admin},
    {"DELETE", "/v1/providers/{}", Answering{delete_provider}, disk, admin},
    {"DELETE", "/providers/{}", Answering{delete_provider}, disk, admin},
    {"GET", "/v1/audit", Answering{list_audit}, disk, admin},
    {"GET", "/audit", Answering{list_audit}, disk, admin},
    {"GET", "/v1/audit/verify", Answering{verify_audit}, network, admin},
    {"POST", "/v1/keys", Answering{create_key}, disk, admin},
    {"GET", "/v1/keys", Answering{list_keys}, disk, admin},
    {"DELETE", "/v1/keys/{}", Answering{revoke_key}, disk, admin},
    {"GET", "/health", Answering{get_health}, loop, nothing},
    {"GET", "/ready", Answering{get_ready}, disk, nothing},
    {"GET", "/v1/daemon", Answering{get_daemon}, disk, admin},
    {"POST", "/v1/daemon/restart", Answering{restart_daemon}, network, owner},
    {"GET", "/v1/vault", Answering{get_vault}, disk, admin},
    {"POST", "/v1/vault/lock", Answering{lock_vault}, disk, owner},
    {"POST", "/v1/vault/unlock", Answering{unlock_vault}, loop, owner},
    {"POST", "/v1/vault/change-key", Answering{change_vault_key}, network, owner},
    {"POST", "/v1/vault/rotate", Answering{rotate_vault}, network, owner},
    {"POST", "/v1/vault/backup", Answering{back_up_vault}, network, owner},
    {"POST", "/v1/vault/accept", Answering{accept_vault}, disk, owner},
    {"GET", "/v1/vault/verify", Answering{verify_vault}, network, admin},
    {"GET", "/v1/daemon/proxy", Answering{show_proxy}, disk, admin},
    {"POST", "/v1/daemon/proxy", Answering{open_proxy}, disk, admin},
    {"DELETE", "/v1/daemon/proxy", Answering{close_proxy}, disk, admin},
    {"GET", "/v1/daemon/proxy/routes", Answering{list_proxy_routes}, disk, admin},
    {"POST", "/v1/daemon/proxy/programs", Later{begin_program}, disk, admin},
    {"GET", "/openapi.yaml", Later{get_openapi}, loop, nothing},
    {"GET", "/metrics", Later{get_metrics}, loop, nothing},
};

constexpr const char* kMethods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

struct Pattern {
  std::vector<std::string> segments;
  const Route* route;
};

const std::vector<Pattern>& patterns() {
  static const auto all = [] {
    std::vector<Pattern> compiled;
    for (const auto& route : kRoutes) compiled.push_back({split(route.path, '/'), &route});
    return compiled;
  }();
  return all;
}

std::optional<Arguments> arguments_of(const Pattern& pattern,
                                      const std::vector<std::string>& segments) {
  if (pattern.segments.size() != segments.size()) return std::nullopt;
  Arguments arguments;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (pattern.segments[i] == "{}" && !segments[i].empty()) {
      arguments.push_back(segments[i]);
    } else if (pattern.segments[i] != segments[i]) {
      return std::nullopt;
    }
  }
  return arguments;
}

http::Response respond_with(const Result<Reply>& reply) {
  if (!reply) return http::error_response(reply.error());
  auto response = http::json_response(reply->body, reply->status);
  response.headers = reply->headers;
  return response;
}

void answer(const Route& route, Services& services, const http::Request& request,
            const Arguments& arguments, http::Respond respond) {
  if (const auto* later = std::get_if<Later>(&route.handler))
    return (*later)(services, request, arguments, std::move(respond));
  respond(respond_with(or_internal_error(
      [&] { return std::get<Answering>(route.handler)(services, request, arguments); })));
}

/// What comes in the query is what could have come in the body, and has to be as good: it is looked
/// at here, before any route takes it. Error: invalid_field.
Result<void> check_query(const http::Request& request) {
  const auto bad = [](const std::string& name, const std::string& what) {
    Error error{ErrorCode::invalid_field, name + " " + what, "correct the query and try again"};
    error.field = name;
    return error;
  };
  if (request.query_is_malformed) return bad("the query", "is malformed");
  for (const auto& [name, value] : request.query)
    if (const auto fault = fault_of_text(value); !fault.empty())
      return bad(printable(name, 80), fault);
  return {};
}

/// What members of the group of [access] come for.
Result<void> check_rights(const Caller& caller, Needs needs) {
  const bool is_more =
      needs == Needs::changing_key || needs == Needs::admin_key || needs == Needs::control_socket;
  if (!is_more || is_admin(caller)) return {};
  return Error{ErrorCode::access_denied,
               "members of the group that may use this nexusd's connections may do nothing else",
               "have its own user do it (nexusd(8), A GROUP)"};
}

Place place_of(const RouteMatch& match, const Services& services, const http::Request& request) {
  const auto place = match.route->place;
  if (place != Place::loop_by_id) return place;
  // What is counted by workspace needs the row before the token's.
  const bool counted = request.caller.is_application() && services.limits.by_workspace();
  return is_connection_id(match.arguments[0]) && !counted ? Place::loop : Place::disk;
}

}  // namespace

RouteMatch find_route(const http::Request& request) {
  RouteMatch match;
  for (const auto& pattern : patterns()) {
    auto arguments = arguments_of(pattern, request.segments);
    if (!arguments) continue;
    if (request.method == pattern.route->method) {
      match.route = pattern.route;
      match.arguments = *std::move(arguments);
      return match;
    }
    match.allowed += (match.allowed.empty() ? "" : ", ") + std::string(pattern.route->method);
  }
  return match;
}

bool is_own_path(const std::string& path) {
  const auto segments = split(path, '/');
  return is_capture_path(path) ||
         std::any_of(patterns().begin(), patterns().end(), [&](const Pattern& pattern) {
           return arguments_of(pattern, segments).has_value();
         });
}

Needs needs_of(const Route& route) {
  return route.needs;
}

void run_route(RouteMatch match, Services& services, http::Request request, http::Respond respond) {
  if (const auto good = check_query(request); !good)
    return respond(http::error_response(good.error()));
  const auto& route = *match.route;
  const auto place = place_of(match, services, request);
  if (place == Place::loop)
    return answer(route, services, request, match.arguments, std::move(respond));
  auto& workers = place == Place::network ? services.network_workers : services.disk_workers;
  workers.submit([&services, &route, request = std::move(request),
                  arguments = std::move(match.arguments), respond = std::move(respond)]() mutable {
    answer(route, services, request, arguments, std::move(respond));
  });
}

http::Response no_route(const RouteMatch& match, const http::Request& request) {
  const auto method = printable(request.method, 20);
  if (std::find(std::begin(kMethods), std::end(kMethods), request.method) == std::end(kMethods))
    return http::error_response(
        {ErrorCode::not_implemented, "the method " + method + " is not implemented", ""});
  const bool ends_with_slash = !request.segments.empty() && request.segments.back().empty();
  if (match.allowed.empty() && ends_with_slash)
    return http::error_response({ErrorCode::not_found, "the path ends with a slash, no route does",
                                 "leave it out, or put the id or name that is missing behind it"});
  if (match.allowed.empty())
    return http::error_response(
        {ErrorCode::not_found, "there is no such route", "nexus-api(7) lists the routes"});
  auto response =
      http::error_response({ErrorCode::method_not_allowed, "this route does not take " + method,
                            "it takes " + match.allowed});
  response.headers.emplace_back("Allow", match.allowed);
  if (request.method == "HEAD") response.body.clear();
  return response;
}

http::Handler control_socket_handler(Services& services) {
  return [&services](http::Request request, http::Respond respond) {
    request.caller.confirmation = request.header(kConfirmation);
    if (request.is_passed_on) return forward(services, std::move(request), std::move(respond));
    auto match = find_route(request);
    if (!match.route) return respond(no_route(match, request));
    if (const auto allowed = check_rights(request.caller, needs_of(*match.route)); !allowed)
      return respond(http::error_response(allowed.error()));
    run_route(std::move(match), services, std::move(request), std::move(respond));
  };
}

Result<JsonFields> read_body(const http::Request& request) {
  return JsonFields::parse(request.body);
}

Reply removed(const std::string& id, const std::string& name, const char* message) {
  JsonWriter json;
  json.begin().member("id", id).member("name", name).member("message", message).end();
  return {json.take()};
}

std::string named_workspace(const http::Request& request) {
  for (const char* name : {"workspace_id", "user_id"})
    if (auto workspace = request.query_value(name); !workspace.empty()) return workspace;
  return {};
}

std::string workspace_of(const http::Request& request) {
  auto workspace = named_workspace(request);
  return workspace.empty() ? "default" : workspace;
}

}  // namespace nexus::api
