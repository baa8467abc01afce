#include "daemon/audit.h"

#include "common/json.h"

namespace nexus {
std::string Audit::record(const AuditEntry& entry, const Caller& caller) const {
  JsonWriter json;
  json.begin()
      .member("v", 2)
      .member("at", clock_())
      .member("event", word(entry.event))
      .member("outcome", word(entry.outcome))
      .member("connection", entry.connection_id)
      .member("provider", entry.provider)
      .member("via", via_name(caller.via))
      .member("uid", caller.uid)
      .member("pid", caller.pid)
      .member("detail", entry.detail)
      .member("request", caller.request);
  // What only TCP callers have; left out for all others.
  if (!caller.peer.empty()) json.member("peer", caller.peer);
  if (!caller.key.empty()) json.member("key", caller.key);
  if (!caller.agent.empty()) json.member("agent", caller.agent);
  if (entry.count) json.member("count", *entry.count);
  json.end();
  return json.take();
}

}  // namespace nexus
