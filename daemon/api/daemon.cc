#include <unistd.h>

#include "common/api/daemon_status.h"
#include "common/json.h"
#include "common/text.h"
#include "common/version.h"
#include "daemon/api/handlers.h"
#include "daemon/api/openapi.h"
#include "daemon/owner.h"

namespace nexus::api {

namespace {

Reply all_is_well(const char* status, const char* member) {
  return Reply{JsonWriter().begin().member("status", status).flag(member, true).end().take()};
}

}  // namespace

Result<Reply> get_health(Services&, const http::Request&, const Arguments&) {
  return all_is_well("ok", "healthy");
}

Result<Reply> get_ready(Services& services, const http::Request&, const Arguments&) {
  NEXUS_CHECK(services.store.vault_header());
  NEXUS_CHECK(services.audit.writable());
  return all_is_well("ready", "ready");
}

void get_openapi(Services&, const http::Request&, const Arguments&, http::Respond respond) {
  http::Response response;
  response.content_type = "application/yaml";
  response.body = kOpenapi;
  respond(std::move(response));
}

Result<Reply> get_daemon(Services& services, const http::Request&, const Arguments&) {
  const auto counts = services.store.count_by_status();
  DaemonStatus status;
  status.pid = getpid();
  status.version = kVersion;
  status.socket = services.facts.socket;
  status.gateway = services.facts.gateway;
  status.callback = services.facts.callback;
  status.callback_on_gateway = services.facts.callback_on_gateway;
  status.data_dir = services.facts.data_dir;
  status.uptime_s = services.clock() - services.facts.started_at;
  status.damage = services.integrity.damage();
  if (const auto suspicion = services.trust.suspicion(); !suspicion.empty())
    status.damage.insert(status.damage.begin(), "nexus.db: " + suspicion);
  // Whoever wants to know what is wrong, or to stop it, is answered all the same.
  if (!counts)
    status.damage.push_back("the connections are not counted: " + counts.error().message);
  status.landlock = services.facts.landlock;
  status.seccomp = services.facts.seccomp;
  status.key_source = word(services.root_keys.source());
  for (std::size_t i = 0; counts && i < DaemonStatus::kCounted.size(); ++i)
    if (const auto found = counts->find(DaemonStatus::kCounted[i]); found != counts->end())
      status.connections[i] = found->second;
  return Reply{to_json(status)};
}

Result<Reply> restart_daemon(Services& services, const http::Request& request, const Arguments&) {
  NEXUS_TRY(const auto body, read_body(request));
  std::string program;
  NEXUS_CHECK(body.text("program", program));
  NEXUS_CHECK(check_owner(request.caller));
  if (!services.restart)
    return Error{ErrorCode::invalid_state, "this nexusd keeps nothing, and would lose all of it",
                 "it ends with who started it: nexusd --ephemeral"};
  if (!program.starts_with('/') || access(program.c_str(), X_OK) != 0)
    return Error{ErrorCode::invalid_field,
                 "program is no program that can be run: " + printable(program, 200),
                 "send the absolute path of nexusd"};
  NEXUS_CHECK(services.restart(program));
  return Reply{JsonWriter().begin().flag("restarting", true).end().take(), 202};
}

}  // namespace nexus::api
