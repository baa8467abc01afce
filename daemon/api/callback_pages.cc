#include "daemon/api/callback_pages.h"

#include "daemon/api/capture_pages.h"
#include "daemon/api/outcome_page.h"
#include "daemon/last_catch.h"

namespace nexus::api {
namespace {

const Notice kNothingHere{.title = "Nothing here",
                          .text = "Nexus only waits for a provider's answer here."};

/// Whether it is what a page of ours left in the address bar, not a provider's answer.
bool is_shown_again(const http::Request& request) {
  return !request.query_value("outcome").empty() && request.query_value("state").empty();
}

}  // namespace

void CallbackPages::handle(http::Request request, http::Respond respond) {
  const auto origin = "http://" + request.header("host");
  if (!sockets_.awaits(origin))
    return respond(page_response(
        421, {.title = "Wrong address", .text = "This is not the address that was asked for."}));
  if (!sockets_.expects(request.path)) return respond(page_response(404, kNothingHere));
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
  if (request.method == "GET" && is_shown_again(request))
    if (auto page = show_again(request)) return respond(*std::move(page));
  if (is_capture_path(request.path))
    return workers_.submit(
        [this, origin, request = std::move(request), respond = std::move(respond)]() mutable {
          respond(answer_capture(captures_, outcomes_, forms_, strangers_, origin, request));
        });
  if (request.method != "GET") {
    auto response = page_response(405, kNothingHere);
    response.headers.emplace_back("Allow", "GET");
    if (request.method == "HEAD") response.body.clear();
    return respond(std::move(response));
  }
  const auto uri = origin + request.path;
  const auto receipt = FlowOutcomes::receipt(uri, request.query);
  if (const auto ended = outcomes_.find(receipt)) return respond(page_for(*ended));
  if (!outcomes_.begin(receipt)) return respond(page_while_under_way(receipt));
  if (const auto flow = code_flow_.asked_for(uri, request.query);
      !flow && flow.error().code == ErrorCode::invalid_state) {
    Result<FlowOutcome> nothing = flow.error();
    outcomes_.end(receipt, nothing);
    return respond(turn_away(flow.error(), request.caller));
  }
  // The exchange talks to the provider, so it leaves the loop. Nobody cancels it: a browser that
  // goes away does not undo a consent.
  workers_.submit([this, uri, receipt, query = std::move(request.query), caller = request.caller,
                   respond = std::move(respond)] {
    auto outcome = or_internal_error([&] { return code_flow_.complete(uri, query, caller); });
    outcomes_.end(receipt, outcome);
    respond(page_for(outcome));
  });
}

std::optional<http::Response> CallbackPages::show_again(const http::Request& request) {
  const auto receipt = request.query_value("outcome");
  if (outcomes_.is_under_way(receipt)) return page_while_under_way(receipt);
  if (const auto ended = outcomes_.find(receipt)) return page_for(*ended);
  // Where a form is led to, it is still to be shown, perhaps.
  if (request.path == kCapturePagePath) return std::nullopt;
  const auto admitted = admit_stranger(strangers_, request.caller);
  return admitted ? page_for_forgotten() : page_for(admitted.error());
}

http::Response CallbackPages::turn_away(const Error& unknown, const Caller& caller) {
  auto record = refusals_.note(AuditEvent::state_verification_failed, caller, unknown.message);
  const auto admitted = admit_stranger(strangers_, caller);
  auto page = page_for(admitted ? unknown : admitted.error());
  if (record) page.audit.push_back(*std::move(record));
  return page;
}

}  // namespace nexus::api
