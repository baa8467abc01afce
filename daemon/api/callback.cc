#include "daemon/api/callback.h"

#include "common/text.h"
#include "daemon/api/capture_pages.h"
#include "daemon/api/outcome_page.h"
#include "daemon/http/sockets.h"
#include "daemon/net/url.h"

namespace nexus::api {
Result<void> CallbackRoutes::open(const std::string& redirect_uri) {
  NEXUS_TRY(const auto url, parse_url(redirect_uri, "callback.base_url"));
  const std::lock_guard lock(mutex_);
  loop_.wake();  // housekeeping sees that somebody is expected again
  paths_.insert(url.path);
  if (gateway_ && (gateway_->https || gateway_->address.covers(url.host, url.port))) return {};
  if (url.scheme != "http" || !url.is_loopback())
    return Error{ErrorCode::callback_unavailable,
                 "nobody listens for the provider's answer at " + printable(redirect_uri, 200),
                 url.scheme == "https"
                     ? "let the gateway answer at an https address of yours ([gateway] "
                       "tls_certificate, or a proxy before it) and set callback.base_url to that"
                     : "set callback.base_url to a loopback host, or turn the gateway on"};
  // As it stands in the redirect URI: the comparison later is exact.
  const auto origin = redirect_uri.substr(0, redirect_uri.find('/', url.scheme.size() + 3));
  if (origins_.contains(origin)) return {};
  // Some providers insist on localhost, others on 127.0.0.1: both may be awaited on one port.
  const auto held = [this](const std::string& address) { return listeners_.contains(address); };
  NEXUS_TRY(const auto sockets,
            http::listen_on_tcp({url.host, url.port}, "callback.base_url", held));
  for (const auto& socket : sockets)
    listeners_[socket.address] =
        loop_.listen(socket.fd, {.via = Caller::Via::callback, .keep_alive = false},
                     [this](http::Request request, http::Respond respond) {
                       handle(std::move(request), std::move(respond));
                     });
  origins_.insert(origin);
  return {};
}

Result<std::string> CallbackRoutes::with_free_port(const std::string& redirect_uri) {
  NEXUS_TRY(const auto url, parse_url(redirect_uri, "callback.base_url"));
  NEXUS_TRY(const int port, http::free_port(url.host));
  return url.scheme + "://" + url.host + ":" + std::to_string(port) + url.path;
}

void CallbackRoutes::close() {
  const std::lock_guard lock(mutex_);
  for (const auto& [address, listener] : listeners_) loop_.unlisten(listener);
  listeners_.clear();
  origins_.clear();
  paths_.clear();
}

bool CallbackRoutes::awaits(const std::string& origin) {
  const std::lock_guard lock(mutex_);
  return origins_.contains(origin);
}

bool CallbackRoutes::expects(const std::string& path) {
  if (is_capture_path(path)) return true;
  if (path == callback_path_ || path.starts_with(callback_path_ + "/") || path == "/v1/callback")
    return true;
  const std::lock_guard lock(mutex_);
  return paths_.contains(path);
}

void CallbackRoutes::handle(http::Request request, http::Respond respond) {
  const auto origin = "http://" + request.header("host");
  if (!awaits(origin))
    return respond(page_response(421, PageTone::failure, "Wrong address",
                                 "This is not the address that was asked for."));
  if (!expects(request.path))
    return respond(page_response(404, PageTone::failure, "Nothing here",
                                 "Nexus only waits for a provider's answer here."));
  answer(origin, std::move(request), std::move(respond));
}

void CallbackRoutes::answer_on_gateway(http::Request request, http::Respond respond) {
  request.caller.via = Caller::Via::callback;
  const auto origin = (gateway_->https ? "https://" : "http://") + request.header("host");
  answer(origin, std::move(request), std::move(respond));
}

void CallbackRoutes::answer(const std::string& origin, http::Request request,
                            http::Respond respond) {
  if (is_capture_path(request.path))
    return workers_.submit(
        [this, origin, request = std::move(request), respond = std::move(respond)]() mutable {
          respond(answer_capture(*captures_, origin, request));
        });
  if (request.method != "GET") {
    auto response = page_response(405, PageTone::failure, "Nothing here",
                                  "Nexus only waits for a provider's answer here.");
    response.headers.emplace_back("Allow", "GET");
    if (request.method == "HEAD") response.body.clear();
    return respond(std::move(response));
  }
  // The exchange talks to the provider, so it leaves the loop. Nobody cancels it: a browser that
  // goes away does not undo a consent.
  workers_.submit([this, uri = origin + request.path, query = std::move(request.query),
                   caller = request.caller, respond = std::move(respond)] {
    respond(page_for(code_flow_->complete(uri, query, caller)));
  });
}

}  // namespace nexus::api
