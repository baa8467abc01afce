#include "daemon/api/capture_pages.h"

#include <nlohmann/json.hpp>

#include "common/json.h"
#include "common/text.h"
#include "daemon/api/capture_json.h"
#include "daemon/api/outcome_page.h"
#include "daemon/http/responses.h"
#include "daemon/pages/capture_page.h"

namespace nexus::api {
namespace {

constexpr std::size_t kLargestForm = 256 * 1024;

bool wants_html(const http::Request& request) {
  return request.header("accept").find("text/html") != std::string::npos;
}

std::string media_type(const http::Request& request) {
  const auto type = request.header("content-type");
  return lower(trim(std::string_view(type).substr(0, type.find(';'))));
}

/// K8: only our own page sends this form. Programs send neither header; for them the state, which
/// nobody can guess, has to do.
bool is_same_origin(const http::Request& request, const std::string& origin) {
  const auto from = request.header("origin");
  const auto site = request.header("sec-fetch-site");
  return (from.empty() || from == origin) && (site.empty() || site == "same-origin");
}

/// `state` and, beside it, the fields: as JSON or as the form that the page sends.
struct Submission {
  std::string state;
  Json credentials = Json::object();
};

Result<Submission> read_submission(http::Request& request) {
  const Error malformed{ErrorCode::invalid_json, "this is not the form that was asked for",
                        "open the page again"};
  Submission submission;
  if (request.body.size() > kLargestForm)
    return Error{ErrorCode::body_too_large, "the form is larger than 256 KiB", ""};
  if (media_type(request) == "application/json") {
    NEXUS_TRY(auto body, parse_json_object(request.body));
    submission.state = text_member(*body, "state").value_or("");
    if (auto* given = object_member(*body, "credentials"))
      submission.credentials = std::move(*given);
    return submission;
  }
  if (media_type(request) != "application/x-www-form-urlencoded")
    return Error{ErrorCode::unsupported_media_type, "the body has to be a form or JSON", ""};
  auto pairs = parse_form(request.body);
  if (!pairs) return malformed;
  for (auto& [name, value] : *pairs) {
    if (!is_valid_utf8(name)) return malformed;
    if (name == "state") {
      submission.state = value;
    } else {
      submission.credentials[name] = value;
    }
    wipe(value);
  }
  return submission;
}

http::Response show(const Page& page, int status) {
  auto response = page_response(page, status);
  // "no-referrer" would make browsers send "Origin: null" with the form.
  for (auto& [name, value] : response.headers)
    if (name == "Referrer-Policy") value = "same-origin";
  return response;
}

std::string receipt_of(const std::string& origin, const std::string& state) {
  return FlowOutcomes::receipt(origin + kCapturePagePath, {{"state", state}});
}

/// The same error, or that there were too many of its kind from this address.
Error turn_away(Error refused, http::RateLimiter& strangers, const Caller& caller) {
  if (refused.code != ErrorCode::invalid_state) return refused;
  auto admitted = admit_stranger(strangers, caller);
  return admitted ? std::move(refused) : std::move(admitted).error();
}

/// On to an address without the state.
http::Response lead_to_form(ShownForms& forms, const std::string& receipt,
                            const std::string& state) {
  forms.expect(receipt, state);
  http::Response response;
  response.status = 303;
  response.headers = {{"Location", std::string(kCapturePagePath) + "?outcome=" + receipt},
                      {"Referrer-Policy", "no-referrer"}};
  return response;
}

http::Response get_form_led_to(Captures& captures, ShownForms& forms, http::RateLimiter& strangers,
                               const http::Request& request) {
  const auto state = forms.take(request.query_value("outcome"));
  if (!state) {
    const auto admitted = admit_stranger(strangers, request.caller);
    return admitted ? page_for_shown_form() : page_for(admitted.error());
  }
  const auto form = captures.form(*state);
  if (!form) return page_for(form.error());
  return show(capture_page(*form, *state, kCaptureSubmitPath, {}), 200);
}

http::Response get_form(Captures& captures, FlowOutcomes& outcomes, ShownForms& forms,
                        http::RateLimiter& strangers, const std::string& origin,
                        const http::Request& request) {
  const auto state = request.query_value("state");
  if (state.empty() && !request.query_value("outcome").empty())
    return get_form_led_to(captures, forms, strangers, request);
  const auto receipt = receipt_of(origin, state);
  if (wants_html(request))
    if (const auto ended = outcomes.find(receipt)) return page_for(*ended);
  const auto form = captures.form(state);
  if (!form) {
    const auto error = turn_away(form.error(), strangers, request.caller);
    return wants_html(request) ? page_for(error) : http::error_response(error);
  }
  if (!wants_html(request)) return http::json_response(form_as_json(*form));
  return lead_to_form(forms, receipt, state);
}

/// The form once more, with what was wrong; nothing secret goes back into it.
http::Response ask_again(Captures& captures, const std::string& state,
                         const CaptureAttempt& attempt) {
  const auto form = captures.form(state);
  if (!form) return page_for(form.error());
  return show(capture_page(*form, state, kCaptureSubmitPath, attempt), 400);
}

/// What may be shown again: the fields that are no secret.
std::map<std::string, std::string> shown_again(Captures& captures, const Submission& submission) {
  std::map<std::string, std::string> typed;
  const auto form = captures.form(submission.state);
  if (!form) return typed;
  for (const auto& field : form->schema.fields())
    if (const auto text = text_member(submission.credentials, field.name.c_str());
        text && !field.secret)
      typed[field.name] = *text;
  return typed;
}

http::Response submit(Captures& captures, FlowOutcomes& outcomes, http::RateLimiter& strangers,
                      const std::string& origin, http::Request& request) {
  const bool html = wants_html(request);
  const auto refuse = [&](const Error& error) {
    return html ? page_for(error) : http::error_response(error);
  };
  if (!is_same_origin(request, origin))
    return refuse({ErrorCode::access_denied, "this form came from another site",
                   "open the page again and send it from there"});
  auto submission = read_submission(request);
  if (!submission) return refuse(submission.error());
  CaptureAttempt attempt;
  if (html) attempt.typed = shown_again(captures, *submission);
  auto captured = captures.complete(submission->state, submission->credentials, request.caller);
  if (!captured) {
    if (!html || captured.error().code == ErrorCode::invalid_state)
      return refuse(turn_away(captured.error(), strangers, request.caller));
    attempt.message = captured.error().message + ": " + captured.error().hint + ".";
    return ask_again(captures, submission->state, attempt);
  }
  if (!captured->faults.empty()) {
    if (!html) return http::error_response(error_of(captured->faults));
    attempt.faults = captured->faults;
    return ask_again(captures, submission->state, attempt);
  }
  Result<FlowOutcome> outcome = captured->outcome;
  outcomes.end(receipt_of(origin, submission->state), outcome);
  return page_for(outcome);
}

}  // namespace

bool is_capture_path(const std::string& path) {
  return path == kCapturePagePath || path == kCaptureSubmitPath;
}

http::Response answer_capture(Captures& captures, FlowOutcomes& outcomes, ShownForms& forms,
                              http::RateLimiter& strangers, const std::string& origin,
                              http::Request& request) {
  const bool page = request.path == kCapturePagePath;
  if (page && request.method == "GET")
    return get_form(captures, outcomes, forms, strangers, origin, request);
  if (!page && request.method == "POST")
    return submit(captures, outcomes, strangers, origin, request);
  auto response =
      http::error_response({ErrorCode::method_not_allowed,
                            "this page does not take " + printable(request.method, 20), ""});
  response.headers.emplace_back("Allow", page ? "GET" : "POST");
  if (request.method == "HEAD") response.body.clear();
  return response;
}

}  // namespace nexus::api
