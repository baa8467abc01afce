#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/error.h"
#include "daemon/api/routes.h"
#include "daemon/http/message.h"
#include "daemon/net/websocket.h"
#include "daemon/permit.h"
#include "daemon/upstream/forwarder.h"

namespace nexus::api {

/// What a request asks to be sent on.
struct Meant {
  std::string reference;  ///< of the connection
  std::string provider;   ///< that the connection has to be of, "" for any
  std::string target;     ///< see ForwardedRequest
  std::string workspace;  ///< where the connection is looked for by its name
  bool is_dry_run = false;
  bool shows_secrets = false;
  std::optional<WebSocketOffer> websocket{};
};

/// What its headers say: X-Nexus-Workspace and, of what is only to be shown, X-Nexus-Dry-Run.
/// Errors: invalid_field, method_not_allowed.
Result<Meant> meant_by_headers(const http::Request& request);

/// Who sends it on, the loop that the answer is read on, and what it is withdrawn with where that
/// is more than the caller's key.
struct Lane {
  Forwarder& forwarder;
  Reactor& loop;
  std::shared_ptr<Permit> permit{};
};
void forward(Services& services, const Lane& lane, http::Request request, Result<Meant> meant,
             http::Respond respond);

/// Requests that go on to a connection's API (nexus-api(7), FORWARDING):
/// `/v1/proxy/{connection}/{path}?{query}`, or `/v1/proxy/{connection}` with the target in
/// X-Nexus-Target.
/// For the listeners that take them (http::ListenerOptions).
std::function<Reactor*(const http::Request&)> passes_on(Services& services);
void forward(Services& services, http::Request request, http::Respond respond);

}  // namespace nexus::api
