#include <unistd.h>

#include "common/api/daemon_status.h"
#include "common/json.h"
#include "common/version.h"
#include "daemon/api/handlers.h"
#include "daemon/api/openapi.h"

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
  NEXUS_TRY(const auto counts, services.store.count_by_status());
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
  status.key_source = services.facts.key_source;
  for (std::size_t i = 0; i < DaemonStatus::kCounted.size(); ++i)
    if (const auto found = counts.find(DaemonStatus::kCounted[i]); found != counts.end())
      status.connections[i] = found->second;
  return Reply{to_json(status)};
}

}  // namespace nexus::api
