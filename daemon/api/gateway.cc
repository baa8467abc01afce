#include "daemon/api/gateway.h"

#include "common/id.h"
#include "common/own_keys.h"
#include "common/text.h"
#include "daemon/api/credentials.h"
#include "daemon/api/forwarding.h"
#include "daemon/connection_errors.h"
#include "daemon/http/responses.h"
#include "daemon/http/sockets.h"
#include "daemon/net/url.h"

namespace nexus::api {
namespace {

Error bad_setting(const std::string& what, const std::string& hint) {
  return {ErrorCode::usage, what, hint};
}

Result<void> check_exposure(const GatewayConfig& config, const http::ListenAddress& address) {
  if (config.tls_certificate.empty() != config.tls_key.empty())
    return bad_setting("gateway.tls_certificate and gateway.tls_key belong together",
                       "set both, or neither");
  if (address.is_loopback()) return {};
  if (config.hosts.empty())
    return bad_setting("gateway.listen is beyond loopback, but gateway.hosts is empty",
                       "list the names that it is called by, for example [\"nexus.example.com\"]");
  if (config.tls_certificate.empty() && !config.insecure_http)
    return bad_setting("gateway.listen is beyond loopback, but without TLS",
                       "set gateway.tls_certificate and gateway.tls_key, or accept plain http with "
                       "gateway.insecure_http = true");
  return {};
}

/// Whether its answers come over https; where they do not, they come over loopback.
Result<bool> callback_is_https(const Config& config, const Url& url,
                               const http::ListenAddress& address) {
  if (url.scheme == "https") return true;
  if (!config.gateway.tls_certificate.empty() && address.covers(url.host, url.port))
    return bad_setting("callback.base_url is http, but the gateway speaks TLS on that port",
                       "set callback.base_url to the gateway's https address, or another port");
  return false;
}

/// A request with a body from a form or a script without permission would need no preflight.
Result<void> check_media_type(const http::Request& request) {
  if (request.body.empty()) return {};
  const auto type = lower(request.header("content-type"));
  if (trim(type.substr(0, type.find(';'))) == "application/json") return {};
  return Error{ErrorCode::unsupported_media_type, "the body has to be JSON",
               "send Content-Type: application/json"};
}

}  // namespace

Result<std::optional<Gateway::Settings>> Gateway::read(const Config& config) {
  if (config.gateway.listen.empty()) return std::optional<Settings>();
  NEXUS_TRY(auto address, http::ListenAddress::parse(config.gateway.listen, "gateway.listen"));
  NEXUS_CHECK(check_exposure(config.gateway, address));
  NEXUS_TRY(const auto callback, parse_url(config.callback_base_url, "callback.base_url"));
  NEXUS_TRY(const bool https, callback_is_https(config, callback, address));
  const bool has_callback = https || address.covers(callback.host, callback.port);
  NEXUS_TRY(auto origins, http::OriginPolicy::make(config.gateway.cors_origins));
  http::HostPolicy hosts(address, config.gateway.hosts);
  std::shared_ptr<http::TlsCertificate> tls;
  if (!config.gateway.tls_certificate.empty()) {
    NEXUS_TRY(tls,
              http::TlsCertificate::load(config.gateway.tls_certificate, config.gateway.tls_key));
  }
  return std::optional(Settings{std::move(address), std::move(hosts), std::move(origins),
                                std::move(tls), config.gateway.open_check, https, has_callback});
}

std::string Gateway::Settings::url() const {
  return (tls ? "https://" : "http://") + address.text();
}

Result<void> Gateway::open(http::Server& server) {
  NEXUS_TRY(const auto sockets, http::listen_on_tcp(settings_.address, "gateway.listen"));
  for (const auto& socket : sockets)
    server.listen(socket.fd,
                  {.via = Caller::Via::gateway,
                   .takes_malformed_queries = true,
                   .tls = settings_.tls,
                   .passes_on = passes_on(services_)},
                  [this](http::Request request, http::Respond respond) {
                    handle(std::move(request), std::move(respond));
                  });
  return {};
}

void Gateway::handle(http::Request request, http::Respond respond) {
  if (!settings_.hosts.allows(request.header("host")))
    return respond(
        http::own_error({ErrorCode::misdirected_request, "the gateway does not go by this Host",
                         "list the name in gateway.hosts"}));
  request.caller.agent = printable_without_keys(request.header("user-agent"), 200);
  auto match = request.is_passed_on ? RouteMatch{} : find_route(request);
  // Browsers come to the callback from the provider's pages, so no origin is asked for there.
  if (!match.route && !request.is_passed_on && match.allowed.empty() &&
      callback_.expects(request.path))
    return callback_.answer_on_gateway(std::move(request), std::move(respond));
  if (request.query_is_malformed && !request.is_passed_on)
    return respond(http::malformed_query_response());
  if (const auto allowed = settings_.origins.check(request); !allowed)
    return respond(http::own_error(allowed.error()));
  const auto reply = [&](http::Response response) {
    settings_.origins.permit(request, response);
    respond(std::move(response));
  };
  if (http::OriginPolicy::is_preflight(request) &&
      (match.route || request.is_passed_on || !match.allowed.empty()))
    return reply(settings_.origins.preflight(request));
  if (!match.route && !request.is_passed_on) return reply(no_route(match, request));

  std::vector<std::string> audit;
  const auto needs = request.is_passed_on ? Needs::key : needs_of(*match.route);
  auto known = authenticate(request, needs, match.arguments);
  if (!known && known.error().code == ErrorCode::invalid_api_key)
    known = wrong_keys_.refuse(known.error(), request, audit);
  if (known && !request.is_passed_on) known = check_media_type(request);
  if (!known) {
    auto response = http::own_error(known.error());
    if (response.status == 401)
      response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"nexus\"");
    response.audit = std::move(audit);
    return reply(std::move(response));
  }
  if (!request.header("origin").empty()) {
    http::Response permission;
    settings_.origins.permit(request, permission);
    respond = [respond = std::move(respond),
               headers = std::move(permission.headers)](http::Response response) {
      response.headers.insert(response.headers.end(), headers.begin(), headers.end());
      respond(std::move(response));
    };
  }
  if (request.is_passed_on) return forward(services_, std::move(request), std::move(respond));
  run_route(std::move(match), services_, std::move(request), std::move(respond));
}

Result<void> Gateway::authenticate(http::Request& request, Needs needs,
                                   const Arguments& arguments) {
  static const auto nobody = std::make_shared<const Access>();
  auto& caller = request.caller;
  caller.access = nobody;
  NEXUS_TRY(const auto key, take_api_key(request));
  if (!key.empty()) {
    NEXUS_TRY(const auto identity, services_.api_keys.verify(key.expose()));
    caller.key = identity.id;
    caller.access = identity.access;
    caller.permit = identity.permit;
  }
  if (needs == Needs::nothing) return {};
  if (needs == Needs::key_unless_open && settings_.open_check && key.empty()) {
    // The id is what proves the right to ask, so only an id will do, and only that one.
    const auto& id = arguments.at(0);
    if (!is_connection_id(id)) return no_such_connection(id);
    caller.access =
        std::make_shared<const Access>(Access{false, {{Right::read, Grant::Over::connection, id}}});
    return {};
  }
  if (key.empty())
    return Error{ErrorCode::missing_api_key, "an API key is needed",
                 "send it as X-API-Key, as a bearer token, or in the URL of a client that knows no "
                 "keys: http://nexus:KEY@HOST (nexus: NEXUS_API_KEY); make one where nexusd runs: "
                 "nexus key create --name NAME --use all"};
  if (needs == Needs::control_socket)
    return Error{ErrorCode::access_denied, "bundles are made and opened by nexusd's own user alone",
                 "use nexus export and nexus import where nexusd runs"};
  if (needs == Needs::admin_key && !is_admin(caller))
    return Error{ErrorCode::access_denied, "this API key is not an admin's",
                 "make one where nexusd runs: nexus key create --name NAME --admin"};
  return {};
}

}  // namespace nexus::api
