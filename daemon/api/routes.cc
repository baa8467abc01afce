#include "daemon/api/routes.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <variant>

#include "common/json.h"
#include "common/text.h"
#include "daemon/api/handlers.h"
#include "daemon/http/responses.h"

namespace nexus::api {
namespace {

using Answering = Result<Reply> (*)(Services&, const http::Request&, const Arguments&);
using Later = void (*)(Services&, const http::Request&, const Arguments&, http::Respond);

enum class Place { loop, worker };  ///< worker: it may talk to a provider or read many rows

struct Route {
  const char* method;
  const char* path;  ///< `{}` stands for one segment
  std::variant<Answering, Later> handler;
  Place place = Place::loop;
};

constexpr Place loop = Place::loop;
constexpr Place worker = Place::worker;

const Route kRoutes[] = {
    {"GET", "/v1/token/{}", Later{get_token}, loop},
    {"POST", "/v1/refresh/{}", Later{refresh_token}, loop},
    {"GET", "/v1/check-connection/{}", Answering{check_connection}, loop},
    {"POST", "/v1/request-connection", Answering{request_connection}, worker},
    {"GET", "/v1/connections", Answering{list_connections}, worker},
    {"GET", "/v1/connections/{}", Answering{show_connection}, loop},
    {"PATCH", "/v1/connections/{}", Answering{edit_connection}, worker},
    {"DELETE", "/v1/connections/{}", Answering{delete_connection}, worker},
    {"POST", "/v1/providers", Answering{add_provider}, worker},
    {"POST", "/providers", Answering{add_provider}, worker},
    {"GET", "/v1/providers", Answering{provider_metadata}, loop},
    {"GET", "/v1/providers/metadata", Answering{provider_metadata}, loop},
    {"GET", "/providers/metadata", Answering{provider_metadata}, loop},
    {"GET", "/providers", Answering{list_providers}, loop},
    {"GET", "/v1/providers/by-name/{}", Answering{show_provider_named}, loop},
    {"GET", "/providers/by-name/{}", Answering{show_provider_named}, loop},
    {"GET", "/v1/providers/{}", Answering{show_provider}, loop},
    {"GET", "/providers/{}", Answering{show_provider}, loop},
    {"DELETE", "/v1/providers/by-name/{}", Answering{delete_provider_named}, worker},
    {"DELETE", "/providers/by-name/{}", Answering{delete_provider_named}, worker},
    {"DELETE", "/v1/providers/{}", Answering{delete_provider}, worker},
    {"DELETE", "/providers/{}", Answering{delete_provider}, worker},
    {"GET", "/health", Answering{get_health}, loop},
    {"GET", "/v1/daemon", Answering{get_daemon}, worker},
};

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

std::optional<Arguments> match(const Pattern& pattern, const std::vector<std::string>& segments) {
  if (pattern.segments.size() != segments.size()) return std::nullopt;
  Arguments arguments;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (pattern.segments[i] == "{}") {
      arguments.push_back(segments[i]);
    } else if (pattern.segments[i] != segments[i]) {
      return std::nullopt;
    }
  }
  return arguments;
}

http::Response respond_with(const Result<Reply>& reply) {
  return reply ? http::json_response(reply->body, reply->status)
               : http::error_response(reply.error());
}

/// A handler's own mistakes (a corrupt row, say) end as a 500, not as the daemon's end.
Result<Reply> call(Answering handler, Services& services, const http::Request& request,
                   const Arguments& arguments) {
  try {
    return handler(services, request, arguments);
  } catch (const std::exception&) {
    return Error{ErrorCode::internal_error, "nexusd could not handle this request",
                 "see nexusd's log; please report it"};
  }
}

void run(const Route& route, Services& services, http::Request request, Arguments arguments,
         http::Respond respond) {
  if (const auto* later = std::get_if<Later>(&route.handler))
    return (*later)(services, request, arguments, std::move(respond));
  const auto handler = std::get<Answering>(route.handler);
  if (route.place == Place::loop)
    return respond(respond_with(call(handler, services, request, arguments)));
  services.workers.submit([&services, handler, request = std::move(request),
                           arguments = std::move(arguments), respond = std::move(respond)] {
    respond(respond_with(call(handler, services, request, arguments)));
  });
}

}  // namespace

http::Handler api_handler(Services& services) {
  return [&services](http::Request request, http::Respond respond) {
    std::string allowed;
    for (const auto& pattern : patterns()) {
      auto arguments = match(pattern, request.segments);
      if (!arguments) continue;
      if (request.method == pattern.route->method)
        return run(*pattern.route, services, std::move(request), *std::move(arguments),
                   std::move(respond));
      allowed += (allowed.empty() ? "" : ", ") + std::string(pattern.route->method);
    }
    if (allowed.empty())
      return respond(http::error_response({ErrorCode::not_found, "there is no such route", ""}));
    auto response = http::error_response(
        {ErrorCode::method_not_allowed, "this route does not take " + printable(request.method, 20),
         "it takes " + allowed});
    response.headers.emplace_back("Allow", allowed);
    if (request.method == "HEAD") response.body.clear();
    respond(std::move(response));
  };
}

Result<Json> read_body(const http::Request& request) {
  if (trim(request.body).empty()) return Json::object();
  return parse_json_object(request.body);
}

std::string workspace_of(const http::Request& request) {
  for (const char* name : {"workspace_id", "user_id"})
    if (auto workspace = request.query_value(name); !workspace.empty()) return workspace;
  return "default";
}

}  // namespace nexus::api
