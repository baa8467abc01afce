#include "daemon/api/forwarding.h"

#include <cstdlib>
#include <memory>
#include <optional>
#include <utility>

#include "common/api/shown_request.h"
#include "common/text.h"
#include "daemon/api/references.h"
#include "daemon/connection_errors.h"
#include "daemon/http/responses.h"
#include "daemon/log.h"
#include "daemon/metrics.h"

namespace nexus::api {
namespace {

constexpr std::string_view kPrefix = "/v1/proxy/";

Error malformed(const std::string& what) {
  return {ErrorCode::invalid_field, what, "nexus-api(7) describes it under FORWARDING"};
}

/// Nothing where the request offers no WebSocket.
Result<std::optional<WebSocketOffer>> read_offer(const http::Request& request) {
  if (!offers_websocket(request.headers)) return std::optional<WebSocketOffer>();
  if (request.is_http_1_0) return malformed("a WebSocket begins with HTTP/1.1");
  NEXUS_TRY(auto offer,
            read_websocket_offer(request.method, request.stream != nullptr, request.headers));
  return std::optional(std::move(offer));
}

Result<Meant> read(const http::Request& request) {
  NEXUS_TRY(auto meant, meant_by_headers(request));
  const auto rest = std::string_view(request.target).substr(kPrefix.size());
  const auto end = std::min(rest.find_first_of("/?"), rest.size());
  const auto reference = percent_decode(rest.substr(0, end), false);
  if (!reference || reference->empty() || !is_valid_utf8(*reference))
    return malformed("the path names no connection");
  meant.reference = *reference;
  meant.target = rest.substr(end);
  if (const auto target = request.header("x-nexus-target"); !target.empty()) {
    if (!meant.target.empty()) return malformed("the target is told twice, by path and by header");
    meant.target = target;
  }
  return meant;
}

SecretText document_of(const RequestHead& head) {
  api::ShownRequest request{head.method, head.url, {}};
  for (const auto& [name, value] : head.headers) request.headers.emplace_back(name, value.expose());
  SecretJsonWriter json;
  json.begin();
  write(json, request);
  for (auto& [name, value] : request.headers) wipe(value);
  return json.end().take();
}

/// What is told of a clock that is wrong, ours or the server's; `skew`: seconds that ours is ahead.
std::string clock_hint(UnixTime skew) {
  const auto minutes = std::to_string(std::abs(skew) / 60);
  return "nexusd's clock is " + minutes + (skew > 0 ? " min ahead of" : " min behind") +
         " the API's, which refuses signatures of another time: set the clock";
}

class Answer {
 public:
  Answer(Services& services, const Caller& caller, std::string reference, std::string method,
         http::Respond respond)
      : services_(services),
        caller_(caller),
        reference_(std::move(reference)),
        method_(std::move(method)),
        respond_(std::move(respond)) {}

  /// One of ours: the caller can tell it from the server's.
  void refuse(const Error& error) const {
    auto response = http::own_error(in_words_of(reference_, error));
    const bool refused = error.code == ErrorCode::connection_out_of_scope ||
                         error.code == ErrorCode::access_denied ||
                         error.code == ErrorCode::host_not_allowed ||
                         error.code == ErrorCode::route_not_allowed ||
                         error.code == ErrorCode::upgrade_not_allowed || is_about_use(error);
    response.audit.push_back(
        services_.audit.record({.event = AuditEvent::request_forwarded,
                                .outcome = refused ? AuditOutcome::refused : AuditOutcome::failure,
                                .connection_id = error.connection_id,
                                .provider = error.provider,
                                .detail = method_ + " " + error.wire()},
                               caller_));
    respond_(std::move(response));
  }

  void pass_on(Forwarded forwarded) const {
    auto& answer = forwarded.answer;
    http::Response response;
    response.status = answer.status;
    response.is_passed_on = true;
    response.headers = std::move(answer.headers);
    response.headers.emplace_back("X-Nexus-Connection", forwarded.connection_id);
    response.headers.emplace_back("X-Nexus-Url", forwarded.url);
    if (forwarded.skew) {
      const auto hint = clock_hint(*forwarded.skew);
      response.headers.emplace_back("X-Nexus-Hint", hint);
      log(LogLevel::warn, "signature_refused",
          {{"connection", forwarded.connection_id},
           {"provider", forwarded.provider},
           {"hint", hint}});
    }
    response.stream = std::move(answer.body);
    response.length = answer.length;
    response.to_server = std::move(answer.to_server);
    const bool has_none = answer.status == 204 || answer.status == 304;
    if (!response.stream && !has_none && method_ != "HEAD") response.length = 0;
    metrics::forwarded(forwarded.provider, answer.status);
    response.audit.push_back(services_.audit.record(
        {.event = AuditEvent::request_forwarded,
         .connection_id = forwarded.connection_id,
         .provider = forwarded.provider,
         .detail =
             method_ + " " + printable(forwarded.url, 300) + " " + std::to_string(answer.status)},
        caller_));
    respond_(std::move(response));
  }

  /// Whoever is shown the credential has it: that is on record like any other token.
  void show(const UnsentRequest& shown, bool with_secrets) const {
    http::Response response;
    response.body = document_of(shown.head);
    if (with_secrets)
      response.audit.push_back(services_.audit.record({.event = AuditEvent::token_retrieved,
                                                       .connection_id = shown.connection_id,
                                                       .provider = shown.provider,
                                                       .detail = "shown in a request"},
                                                      caller_));
    respond_(std::move(response));
  }

 private:
  Services& services_;
  Caller caller_;
  std::string reference_;  ///< "" where a hint is to name the connection by its id
  std::string method_;
  http::Respond respond_;
};

void forward_meant(Services& services, const Lane& lane, http::Request request, const Meant& meant,
                   const Answer& answer) {
  const auto id = id_of(services, request.caller, meant.reference, meant.workspace, Right::forward,
                        services.limits.token);
  if (!id) return answer.refuse(id.error());
  ForwardedRequest forwarded{
      .connection_id = *id,
      .provider = meant.provider,
      .method = std::move(request.method),
      .target = meant.target,
      .headers = std::move(request.headers),
      .body = {.stream = std::move(request.stream), .length = request.length},
      .wanted = std::move(request.wanted),
      .caller = request.caller,
      .reader = &lane.loop,
      .websocket = meant.websocket,
      .permits = {}};
  for (const auto& permit : {request.caller.permit, lane.permit})
    if (permit) forwarded.permits.push_back(permit);
  if (!meant.is_dry_run)
    return lane.forwarder.forward(std::move(forwarded), [answer](Result<Forwarded> done) {
      done ? answer.pass_on(*std::move(done)) : answer.refuse(done.error());
    });
  lane.forwarder.show(std::move(forwarded), meant.shows_secrets,
                      [answer, with_secrets = meant.shows_secrets](Result<UnsentRequest> shown) {
                        shown ? answer.show(*shown, with_secrets) : answer.refuse(shown.error());
                      });
}

}  // namespace

std::function<Reactor*(const http::Request&)> passes_on(Services& services) {
  return [&services](const http::Request& request) -> Reactor* {
    return request.path.starts_with(kPrefix) ? &services.forwarder.client().loop() : nullptr;
  };
}

Result<Meant> meant_by_headers(const http::Request& request) {
  const auto method = lower(request.method);
  if (method == "connect" || method == "trace" || method == "track")
    return Error{ErrorCode::method_not_allowed, request.method + " is not sent on",
                 "it would open a tunnel, or have the credential told back"};
  if (request.method == "HEAD" && request.stream) return malformed("HEAD has no body");
  Meant meant;
  meant.workspace = request.header("x-nexus-workspace");
  if (meant.workspace.empty()) meant.workspace = "default";
  const auto dry_run = request.header("x-nexus-dry-run");
  meant.is_dry_run = !dry_run.empty();
  meant.shows_secrets = dry_run == "show-secrets";
  if (meant.is_dry_run && !meant.shows_secrets && dry_run != "masked")
    return malformed("X-Nexus-Dry-Run is neither masked nor show-secrets");
  NEXUS_TRY(meant.websocket, read_offer(request));
  return meant;
}

void forward(Services& services, http::Request request, http::Respond respond) {
  auto meant = read(request);
  forward(services, {services.forwarder, services.loop}, std::move(request), std::move(meant),
          std::move(respond));
}

void forward(Services& services, const Lane& lane, http::Request request, Result<Meant> meant,
             http::Respond respond) {
  const bool is_default = meant && meant->workspace == "default";
  const Answer answer(services, request.caller, is_default ? meant->reference : "", request.method,
                      std::move(respond));
  if (!meant) return answer.refuse(meant.error());
  if (needs_no_look_up(meant->reference, request.caller, services.limits.token))
    return forward_meant(services, lane, std::move(request), *meant, answer);
  services.disk_workers.submit(
      [&services, lane, request = std::move(request), meant = *meant, answer]() mutable {
        forward_meant(services, lane, std::move(request), meant, answer);
      });
}

}  // namespace nexus::api
