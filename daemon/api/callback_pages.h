#pragma once

#include <string>

#include "daemon/api/callback_sockets.h"
#include "daemon/api/shown_forms.h"
#include "daemon/connect/authorization_code_flow.h"
#include "daemon/connect/captures.h"
#include "daemon/connect/flow_outcomes.h"
#include "daemon/worker_pool.h"

namespace nexus::api {

/// Where browsers bring providers' answers, and where they are asked for static credentials: a
/// callback path or the capture page with the right Host, nothing else. Loop's thread.
class CallbackPages {
 public:
  CallbackPages(CallbackSockets& sockets, AuthorizationCodeFlow& code_flow, Captures& captures,
                FlowOutcomes& outcomes, WorkerPool& workers)
      : sockets_(sockets),
        code_flow_(code_flow),
        captures_(captures),
        outcomes_(outcomes),
        workers_(workers) {}

  /// What came to the callback's own sockets.
  void handle(http::Request request, http::Respond respond);
  /// A callback that came to the gateway under a Host that it goes by.
  void answer_on_gateway(http::Request request, http::Respond respond);
  /// Whether the gateway should hand this path over.
  bool expects(const std::string& path) { return sockets_.expects(path); }

 private:
  void answer(const std::string& origin, http::Request request, http::Respond respond);

  CallbackSockets& sockets_;
  AuthorizationCodeFlow& code_flow_;
  Captures& captures_;
  FlowOutcomes& outcomes_;
  ShownForms forms_;
  WorkerPool& workers_;
};

}  // namespace nexus::api
