#include "daemon/api/outcome_page.h"

namespace nexus::api {
namespace {

/// A message as people write: a capital at its head, a full stop at its end. Names of fields, and
/// words in quotes, stay as they are. `before`: what it is set apart by, where there is one.
std::string sentence(std::string text, std::string_view before = "") {
  if (text.empty()) return text;
  const auto word = text.substr(0, text.find(' '));
  const bool plain = word.find_first_not_of("abcdefghijklmnopqrstuvwxyz") == std::string::npos;
  if (plain) text[0] = static_cast<char>(text[0] - 'a' + 'A');
  if (std::string_view(".!?").find(text.back()) == std::string_view::npos) text += '.';
  return std::string(before) + text;
}

}  // namespace

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

http::Response page_response(int status, const Notice& notice) {
  return page_response(callback_page(notice), status);
}

http::Response page_for(const Result<FlowOutcome>& outcome) {
  if (!outcome) {
    const auto& error = outcome.error();
    if (error.code == ErrorCode::invalid_state)
      return page_response(
          400, {.title = "This link does not work (any more)",
                .text = sentence(error.message) + " Go back to the terminal and start again."});
    const bool limited = error.code == ErrorCode::rate_limited;
    auto page = page_response(info(error.code).http_status,
                              {.title = limited ? "Too many answers" : "Something went wrong",
                               .text = sentence(error.message) + sentence(error.hint, " ")});
    if (limited) page.headers.emplace_back("Retry-After", std::to_string(error.retry_after_s));
    return page;
  }
  if (!outcome->redirect_to.empty()) {
    http::Response response;
    response.status = 302;
    response.headers = {{"Location", outcome->redirect_to}, {"Referrer-Policy", "no-referrer"}};
    return response;
  }
  Notice notice{.lead = outcome->active ? "Use it in a terminal:" : "To try again, in a terminal:",
                .command = outcome->next,
                .receipt = outcome->receipt};
  if (outcome->active) {
    notice.tone = PageTone::success;
    notice.title = outcome->provider + " is connected";
    notice.text =
        (outcome->account.empty() ? "" : "You are connected as " + outcome->account + ". ") +
        "You can close this tab and go back to where you came from.";
  } else if (outcome->denied) {
    notice.tone = PageTone::denied;
    notice.title = "Nothing was connected";
    notice.text = "You denied " + outcome->provider +
                  " access, and nothing was stored. You can close this tab.";
  } else {
    notice.title = outcome->provider + " could not be connected";
    notice.text = sentence(outcome->message) + sentence(outcome->hint, " ");
  }
  return page_response(200, notice);
}

http::Response page_while_under_way(const std::string& receipt) {
  auto response = page_response(200, {.tone = PageTone::waiting,
                                      .title = "One moment",
                                      .text = "The provider's answer is being looked at.",
                                      .receipt = receipt});
  response.headers.emplace_back("Refresh", "2");
  return response;
}

http::Response page_for_forgotten() {
  return page_response(404, {.title = "There is nothing to show any more",
                             .text = "How a connection went is shown here for ten minutes.",
                             .lead = "To see the connections that there are, in a terminal:",
                             .command = "nexus list"});
}

http::Response page_for_shown_form() {
  return page_response(404, {.title = "Open the page again",
                             .text = "This address has shown its form, and what was typed is not "
                                     "kept. Use the address that nexus or the application gave "
                                     "you."});
}

}  // namespace nexus::api
