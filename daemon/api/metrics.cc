#include "daemon/metrics.h"

#include "daemon/access/access.h"
#include "daemon/api/handlers.h"
#include "daemon/http/responses.h"

namespace nexus::api {
namespace {

/// Without a key only from this machine.
bool may_scrape(const Caller& caller) {
  return !caller.key.empty() || caller.via == Caller::Via::control_socket || caller.peer == "::1" ||
         caller.peer.starts_with("127.");
}

}  // namespace

void get_metrics(Services& services, const http::Request& request, const Arguments&,
                 http::Respond respond) {
  if (!may_scrape(request.caller))
    return respond(http::error_response({ErrorCode::missing_api_key,
                                         "from another machine /metrics needs an API key",
                                         "send one as Authorization: Bearer KEY"}));
  // Which providers there are is nobody's business who may not see all that goes on.
  services.disk_workers.submit(
      [&services, with_providers = may_see_all(request.caller), respond = std::move(respond)] {
        // Of a damaged vault most of all there is something to tell.
        auto counted = services.store.count_by_status();
        std::optional<std::map<ConnectionStatus, std::int64_t>> connections;
        if (counted) connections = *std::move(counted);
        http::Response response;
        response.content_type = "text/plain; version=0.0.4; charset=utf-8";
        response.body = metrics::exposition(connections, with_providers);
        respond(std::move(response));
      });
}

}  // namespace nexus::api
