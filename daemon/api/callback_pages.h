#pragma once

#include <optional>
#include <string>

#include "daemon/api/callback_sockets.h"
#include "daemon/api/limits.h"
#include "daemon/api/shown_forms.h"
#include "daemon/connect/authorization_code_flow.h"
#include "daemon/connect/captures.h"
#include "daemon/connect/flow_outcomes.h"
#include "daemon/refusals.h"
#include "daemon/worker_pool.h"

namespace nexus::api {

/// Where browsers bring providers' answers, and where they are asked for static credentials: a
/// callback path or the capture page with the right Host, nothing else. What belongs to a flow
/// always gets through: only the rest is limited. Loop's thread.
class CallbackPages {
 public:
  CallbackPages(CallbackSockets& sockets, AuthorizationCodeFlow& code_flow, Captures& captures,
                FlowOutcomes& outcomes, Refusals& refusals, http::RateLimiter& strangers,
                WorkerPool& workers)
      : sockets_(sockets),
        code_flow_(code_flow),
        captures_(captures),
        outcomes_(outcomes),
        refusals_(refusals),
        strangers_(strangers),
        workers_(workers) {}

  /// What came to the callback's own sockets.
  void handle(http::Request request, http::Respond respond);
  /// A callback that came to the gateway under a Host that it goes by.
  void answer_on_gateway(http::Request request, http::Respond respond);
  /// Whether the gateway should hand this path over.
  bool expects(const std::string& path) { return sockets_.expects(path); }

 private:
  void answer(const std::string& origin, http::Request request, http::Respond respond);
  /// What a page of ours left in the address bar is asked for again.
  std::optional<http::Response> show_again(const http::Request& request);
  http::Response turn_away(const Error& unknown, const Caller& caller);

  CallbackSockets& sockets_;
  AuthorizationCodeFlow& code_flow_;
  Captures& captures_;
  FlowOutcomes& outcomes_;
  ShownForms forms_;
  Refusals& refusals_;
  http::RateLimiter& strangers_;  ///< those who bring what belongs to nothing, by address
  WorkerPool& workers_;
};

}  // namespace nexus::api
