#include <unistd.h>

#include <nlohmann/json.hpp>

#include "common/json.h"
#include "common/version.h"
#include "daemon/api/handlers.h"

namespace nexus::api {

Result<Reply> get_health(Services&, const http::Request&, const Arguments&) {
  return Reply{{{"status", "ok"}, {"healthy", true}}};
}

Result<Reply> get_ready(Services& services, const http::Request&, const Arguments&) {
  NEXUS_CHECK(services.store.vault_header());
  NEXUS_CHECK(services.audit.writable());
  return Reply{{{"status", "ready"}, {"ready", true}}};
}

Result<Reply> get_daemon(Services& services, const http::Request&, const Arguments&) {
  NEXUS_TRY(const auto counts, services.store.count_by_status());
  Json connections = Json::object();
  for (const auto status : {ConnectionStatus::pending, ConnectionStatus::active,
                            ConnectionStatus::attention_required, ConnectionStatus::failed}) {
    const auto found = counts.find(status);
    connections[word(status)] = found == counts.end() ? 0 : found->second;
  }
  return Reply{
      {{"pid", getpid()},
       {"version", kVersion},
       {"socket", services.facts.socket},
       {"gateway", services.facts.gateway.empty() ? Json(nullptr) : Json(services.facts.gateway)},
       {"data_dir", services.facts.data_dir},
       {"uptime_s", services.clock() - services.facts.started_at},
       {"vault", {{"key_source", services.facts.key_source}, {"locked", false}}},
       {"connections", std::move(connections)}}};
}

}  // namespace nexus::api
