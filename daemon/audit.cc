#include "daemon/audit.h"

#include <unistd.h>

#include "common/json.h"
#include "daemon/log.h"
#include "daemon/peer_process.h"

namespace nexus {
namespace {

/// What is done thousands of times, and would take a fifth longer to look at.
bool is_use(AuditEvent event) {
  return event == AuditEvent::token_retrieved || event == AuditEvent::token_retrieval_failed ||
         event == AuditEvent::request_forwarded;
}

/// The program that asks, where it can be told; of uses only where their rules had it looked at.
std::string program_of(AuditEvent event, const Caller& caller) {
  if (!caller.process) return {};
  const bool is_own = caller.uid == static_cast<std::int64_t>(geteuid());
  if (is_own && !is_use(event)) static_cast<void>(caller.process->program());
  return caller.process->known_program();
}

}  // namespace

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
  if (const auto exe = program_of(entry.event, caller); !exe.empty()) json.member("exe", exe);
  if (entry.count) json.member("count", *entry.count);
  json.end();
  return json.take();
}

void Audit::tell_trouble() {
  const auto& trouble = log_.trouble();
  if (trouble.empty()) return;
  log(LogLevel::error, "audit_log_damaged",
      {{"found", trouble}, {"hint", "see nexusd(8), DAMAGE"}});
  const AuditEntry entry{
      .event = AuditEvent::audit_damaged, .outcome = AuditOutcome::failure, .detail = trouble};
  if (const auto told = commit(entry, {}); !told)
    log(LogLevel::error, "audit_failed", {{"error", told.error().message}});
}

}  // namespace nexus
