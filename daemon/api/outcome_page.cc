#include "daemon/api/outcome_page.h"

namespace nexus::api {

http::Response page_response(const Page& page, int status) {
  http::Response response;
  response.status = status;
  response.content_type = "text/html; charset=utf-8";
  response.headers = {{"Content-Security-Policy", page.content_security_policy},
                      {"Referrer-Policy", "no-referrer"},
                      {"X-Frame-Options", "DENY"}};
  response.body = page.html;
  return response;
}

http::Response page_response(int status, PageTone tone, std::string_view title,
                             std::string_view text) {
  return page_response(callback_page(tone, title, text), status);
}

http::Response page_for(const Result<FlowOutcome>& outcome) {
  if (!outcome) {
    if (outcome.error().code != ErrorCode::invalid_state)
      return page_response(info(outcome.error().code).http_status, PageTone::failure,
                           "Something went wrong", outcome.error().message);
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

}  // namespace nexus::api
