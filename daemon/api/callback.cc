#include "daemon/api/callback.h"

#include "common/text.h"
#include "daemon/http/responses.h"
#include "daemon/http/sockets.h"
#include "daemon/net/url.h"
#include "daemon/pages/callback_page.h"

namespace nexus::api {
namespace {

http::Response page_response(int status, PageTone tone, std::string_view title,
                             std::string_view text) {
  const auto page = callback_page(tone, title, text);
  http::Response response;
  response.status = status;
  response.content_type = "text/html; charset=utf-8";
  response.headers = {{"Content-Security-Policy", page.content_security_policy},
                      {"Referrer-Policy", "no-referrer"},
                      {"X-Frame-Options", "DENY"}};
  response.body = page.html;
  return response;
}

http::Response page_for(const Result<FlowOutcome>& outcome) {
  if (!outcome) {
    if (outcome.error().code != ErrorCode::invalid_state)
      return page_response(500, PageTone::failure, "Something went wrong", outcome.error().message);
    return page_response(400, PageTone::failure, "This link does not work (any more)",
                         outcome.error().message + ". Go back to the terminal and start again.");
  }
  if (!outcome->redirect_to.empty()) {
    http::Response response;
    response.status = 302;
    response.headers = {{"Location", outcome->redirect_to}, {"Referrer-Policy", "no-referrer"}};
    return response;
  }
  if (outcome->active)
    return page_response(200, PageTone::success, outcome->provider + " is connected",
                         "You can close this tab and go back to where you came from.");
  if (outcome->denied)
    return page_response(200, PageTone::denied, "Nothing was connected",
                         "You denied " + outcome->provider +
                             " access, and nothing was stored. You can close this tab.");
  return page_response(200, PageTone::failure, outcome->provider + " could not be connected",
                       outcome->message + ". You can close this tab; the terminal says more.");
}

}  // namespace

Result<void> CallbackRoutes::open(const std::string& redirect_uri) {
  NEXUS_TRY(const auto url, parse_url(redirect_uri, "callback.base_url"));
  const std::lock_guard lock(mutex_);
  loop_.wake();  // housekeeping sees that somebody is expected again
  paths_.insert(url.path);
  if (gateway_ && (gateway_->https || gateway_->address.covers(url.host, url.port))) return {};
  if (url.scheme != "http" || !url.is_loopback())
    return Error{ErrorCode::callback_unavailable,
                 "nobody listens for the provider's answer at " + printable(redirect_uri, 200),
                 "set callback.base_url to http on a loopback host, or turn the gateway on"};
  // As it stands in the redirect URI: the comparison later is exact.
  const auto origin = redirect_uri.substr(0, redirect_uri.find('/', url.scheme.size() + 3));
  if (open_.contains(origin)) return {};
  NEXUS_TRY(const auto fds, http::listen_on_tcp({url.host, url.port}, "callback.base_url"));
  auto& listeners = open_[origin];
  for (const int fd : fds)
    listeners.push_back(loop_.listen(fd, {.via = Caller::Via::callback, .keep_alive = false},
                                     [this, origin](http::Request request, http::Respond respond) {
                                       handle(origin, std::move(request), std::move(respond));
                                     }));
  return {};
}

void CallbackRoutes::close() {
  const std::lock_guard lock(mutex_);
  for (const auto& [origin, listeners] : open_)
    for (const int listener : listeners) loop_.unlisten(listener);
  open_.clear();
  paths_.clear();
}

bool CallbackRoutes::expects(const std::string& path) {
  if (path == callback_path_ || path.starts_with(callback_path_ + "/") || path == "/v1/callback")
    return true;
  const std::lock_guard lock(mutex_);
  return paths_.contains(path);
}

void CallbackRoutes::handle(const std::string& origin, http::Request request,
                            http::Respond respond) {
  const auto host = origin.substr(origin.find("://") + 3);
  if (request.header("host") != host)
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
    respond(page_for(consents_->complete(uri, query, caller)));
  });
}

}  // namespace nexus::api
