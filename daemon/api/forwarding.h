#pragma once

#include <functional>

#include "daemon/api/routes.h"
#include "daemon/http/message.h"

namespace nexus::api {

/// Requests that go on to a connection's API (nexus-api(7), FORWARDING):
/// `/v1/proxy/{connection}/{path}?{query}`, or `/v1/proxy/{connection}` with the target in
/// X-Nexus-Target. X-Nexus-Workspace says where the connection is looked for by its name, and with
/// X-Nexus-Dry-Run nothing is sent: the answer shows what would be.
/// For the listeners that take them (http::ListenerOptions).
std::function<Reactor*(const http::Request&)> passes_on(Services& services);
void forward(Services& services, http::Request request, http::Respond respond);

}  // namespace nexus::api
