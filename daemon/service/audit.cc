#include "daemon/service/audit.h"

#include "common/json.h"

namespace nexus {
namespace {

std::string_view via_text(Caller::Via via) {
  switch (via) {
    case Caller::Via::control_socket:
      return "control_socket";
    case Caller::Via::callback:
      return "callback";
    case Caller::Via::daemon:
      return "daemon";
  }
  return "daemon";
}

}  // namespace

std::string Audit::record(const AuditEvent& event, const Caller& caller) const {
  JsonWriter json;
  json.begin()
      .member("v", 1)
      .member("at", clock_())
      .member("event", event.event)
      .member("outcome", event.outcome)
      .member("connection", event.connection_id)
      .member("provider", event.provider)
      .member("via", via_text(caller.via))
      .member("uid", caller.uid)
      .member("pid", caller.pid)
      .member("detail", event.detail)
      .end();
  return json.take();
}

}  // namespace nexus
