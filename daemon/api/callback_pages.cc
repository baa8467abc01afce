#include "daemon/api/callback_pages.h"

#include "daemon/api/capture_pages.h"
#include "daemon/api/outcome_page.h"

namespace nexus::api {

void CallbackPages::handle(http::Request request, http::Respond respond) {
  const auto origin = "http://" + request.header("host");
  if (!sockets_.awaits(origin))
    return respond(page_response(421, PageTone::failure, "Wrong address",
                                 "This is not the address that was asked for."));
  if (!sockets_.expects(request.path))
    return respond(page_response(404, PageTone::failure, "Nothing here",
                                 "Nexus only waits for a provider's answer here."));
  answer(origin, std::move(request), std::move(respond));
}

void CallbackPages::answer_on_gateway(http::Request request, http::Respond respond) {
  request.caller.via = Caller::Via::callback;
  const auto origin =
      (sockets_.gateway_is_https() ? "https://" : "http://") + request.header("host");
  answer(origin, std::move(request), std::move(respond));
}

void CallbackPages::answer(const std::string& origin, http::Request request,
                           http::Respond respond) {
  if (is_capture_path(request.path))
    return workers_.submit(
        [this, origin, request = std::move(request), respond = std::move(respond)]() mutable {
          respond(answer_capture(captures_, origin, request));
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
    respond(page_for(code_flow_.complete(uri, query, caller)));
  });
}

}  // namespace nexus::api
